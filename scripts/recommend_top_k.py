"""Load a trained model and recommend for a few users it has never seen.

    python scripts/train_movielens.py
    python scripts/recommend_top_k.py

Give both the same --data.
"""

import argparse
import logging
from itertools import zip_longest

import recvae as rv


def main() -> None:
    """Show a few users' lists beside some of what they liked."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--data", default="sample", help="what the model was trained on")
    parser.add_argument("--model", default="runs/mult-vae", help="where it was saved")
    parser.add_argument("-k", type=int, default=10, help="length of the lists")
    parser.add_argument("--users", type=int, default=3, help="how many users")
    args = parser.parse_args()
    logging.basicConfig(format="%(message)s")
    logging.getLogger("recvae").setLevel(logging.INFO)

    data = rv.load_dataset(args.data, min_rating=4, min_user_items=5)
    test = rv.split_users(data).test
    assert test.user_ids is not None  # those of a table have ids

    model = rv.load_model(args.model)
    ids, _ = model.recommend(test.fold_in[: args.users], k=args.k)

    titles = model.items_["title"].to_numpy()
    for row, columns in enumerate(ids):
        liked = test.fold_in[row].indices[: args.k]
        found = set(test.held_out[row].indices)
        print(f"\n{'user ' + str(test.user_ids[row]) + ' liked':<45}  may like")
        recommended = [f"{'*' if i in found else ' '} {titles[i]}" for i in columns]
        for left, right in zip_longest(titles[liked], recommended, fillvalue=""):
            print(f"{left[:45]:<45}  {right}")
    print("\n* hidden from the model, and indeed liked")


if __name__ == "__main__":
    main()
