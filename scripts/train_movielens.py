"""Train Mult-VAE, judge it by users it has never seen, and save it.

python scripts/train_movielens.py                # on the generated sample
python scripts/train_movielens.py --data ml-1m
"""

import argparse
import logging

import recvae as rv


def main() -> None:
    """Train, judge, save."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--data", default="sample", help="sample, ml-100k, ml-1m, ml-20m, ...")
    parser.add_argument("--out", default="runs/mult-vae", help="where to save the model")
    args = parser.parse_args()
    logging.basicConfig(format="%(message)s")
    logging.getLogger("recvae").setLevel(logging.INFO)

    data = rv.load_dataset(args.data, min_rating=4, min_user_items=5)
    split = rv.split_users(data)

    model = rv.MultVAE().fit(split.train, validation=split.validation)
    model.save(args.out)

    print(f"\nMult-VAE on {args.data}, judged by unseen users")
    print(rv.evaluate(model, split.test))
    print(f"saved to {args.out}")


if __name__ == "__main__":
    main()
