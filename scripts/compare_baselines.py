"""Compare the autoencoders with the baselines, on users that none of them has seen.

python scripts/compare_baselines.py                       # on the generated sample
python scripts/compare_baselines.py --data ml-1m --tune 8
"""

import argparse
import logging

import recvae as rv

MODELS = ("mult-vae", "mult-dae", "ease", "als", "bpr", "lmf", "item-knn", "popularity")


def main() -> None:
    """Fit every model, judge them by the same users, write a report."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--data", default="sample", help="sample, ml-100k, ml-1m, ml-20m, ...")
    parser.add_argument("--tune", type=int, default=0, help="options to try for each model")
    parser.add_argument("--out", default="report", help="where to write the report")
    parser.add_argument(
        "--known-users", action="store_true", help="hold out a part of what every user liked"
    )
    args = parser.parse_args()
    logging.basicConfig(format="%(message)s")
    logging.getLogger("recvae").setLevel(logging.INFO)

    data = rv.load_dataset(args.data, min_rating=4, min_user_items=5)
    split = rv.split_interactions(data) if args.known_users else rv.split_users(data)

    models = {name: rv.build_model(name) for name in MODELS}
    result = rv.compare(models, split, tune_trials=args.tune, data=args.data)

    print(f"{args.data}: {data}\n\n{result}")
    print(f"\nreport with plots: {rv.write_report(result, args.out)}")


if __name__ == "__main__":
    main()
