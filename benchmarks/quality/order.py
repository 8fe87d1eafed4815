"""What the order of interactions is worth: models with and without it, on splits by time.

    RECVAE_DATA=... python -m benchmarks.quality.order                  # all of it
    RECVAE_DATA=... python -m benchmarks.quality.order edlae transitions --data ml-100k

The last item of each user is to be ranked; of MovieTweetings also all that is liked after a date.
Options are the defaults, and half_life=10, which was chosen on the validation users. Each fit is
kept under build/order/; the figures of sets that are not named stay. `make results` shows them.
"""

import json

import numpy as np

import recvae as rv
from benchmarks.common import FIGURES, machine, one_of, options, write_json
from benchmarks.quality.page import FACTS
from recvae.data.interactions import require_timestamps

DATA = {"ml-latest-small": 4, "ml-100k": 4, "movietweetings-100k": 7}
"""The sets, and the least rating of a like."""
MODELS = {
    "popularity": {},
    "item-knn": {},
    "edlae": {},
    "edlae half_life=10": {"half_life": 10.0},
    "transitions": {},
    "ensemble": {},
    "ensemble half_life=10": {"half_life": 10.0},
}
METRICS = ("recall@20", "ndcg@100")
OUT = FIGURES / "order.json"


def main() -> None:
    """Measure, print the tables, and keep the figures."""
    parser = options(__doc__)
    parser.add_argument("models", nargs="*", type=one_of([*MODELS]), default=[*MODELS])
    parser.add_argument("--data", nargs="+", choices=DATA, default=[*DATA])
    args = parser.parse_args()
    found = json.loads(OUT.read_text(encoding="utf-8")) if OUT.exists() else {}
    for name in args.data:
        for kind, split in splits(name).items():
            models = {one: rv.build_model(one.split()[0], MODELS[one]) for one in args.models}
            result = rv.compare(models, split, metrics=METRICS, cache_dir="build/order")
            print(f"{name}, {kind}\n{result}\n", flush=True)
            facts = {fact: value for fact, value in result.to_dict().items() if fact in FACTS}
            found[f"{name}, {kind}"] = facts | {"machine": machine()}
            write_json(OUT, found)


def splits(name: str) -> dict[str, rv.Split]:
    """The splits of a set by name."""
    data = rv.load_dataset(name, min_rating=DATA[name], min_user_items=5)
    made = {"last": rv.split_last(data)}
    if name.startswith("movietweetings"):  # the others have too few users at any one time
        made["time"] = rv.split_time(data, *np.quantile(require_timestamps(data), [0.8, 0.9]))
    return made


if __name__ == "__main__":
    main()
