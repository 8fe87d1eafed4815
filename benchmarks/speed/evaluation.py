"""How fast every model is judged on users that were in training, and how much memory that takes.

    python -m benchmarks.speed.evaluation  # 30,000 users x 41,000 items
    python -m benchmarks.speed.evaluation --users 5000 --items 4000 --models als,mult-vae

Each model runs in a process of its own, one after another, on generated interactions, split by
`split_interactions`. The seconds are those of `evaluate`, which takes the same time whatever a
model has learnt: so all train for one epoch, and the linear models leave out the inversion of
their matrix. Accuracy has no meaning here and is not shown. The memory is the process's at its
peak, data and training included (on Linux).
"""

from inspect import signature
from unittest.mock import patch

import recvae as rv
from benchmarks.common import options
from benchmarks.speed.clock import alone
from benchmarks.speed.generated import by_kind
from recvae.models import MODELS

LEFT_OUT = {"ensemble-of", "transitions"}
"""Models that need more than a matrix: members, or times."""
QUICK = {"epochs": 1, "iterations": 1, "max_gigabytes": 64.0}


def main() -> None:
    """Measure each model, and print a line as soon as it is known."""
    parser = options(__doc__)
    parser.add_argument("--users", type=int, default=30_000)
    parser.add_argument("--items", type=int, default=41_000)
    models = [name for name in MODELS if name not in LEFT_OUT]
    parser.add_argument("--models", default=",".join(models), help="separated by commas")
    args = parser.parse_args()
    print("| model | seconds | users a second | GB at the peak |\n|---|---:|---:|---:|")
    for name in args.models.split(","):
        seconds, gigabytes = alone(measure, name, args.users, args.items)
        print(f"| `{name}` | {seconds:.1f} | {args.users / seconds:,.0f} | {gigabytes:.1f} |")


def measure(name: str, n_users: int, n_items: int) -> float:
    """Seconds of an evaluation."""
    split = rv.split_interactions(rv.Interactions.from_matrix(by_kind(n_users, n_items)))
    known = signature(MODELS[name]).parameters
    model = rv.build_model(name, {key: value for key, value in QUICK.items() if key in known})
    with patch("recvae.models.families.linear.inverse_", lambda matrix: matrix):
        model.fit(split.train)
    return rv.evaluate(model, split.test).seconds


if __name__ == "__main__":
    main()
