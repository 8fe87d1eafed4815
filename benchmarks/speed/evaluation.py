"""How fast every model is judged on users that were in training, and how much memory that takes.

    python -m benchmarks.speed.evaluation                              # 30,000 users x 41,000 items
    python -m benchmarks.speed.evaluation --users 5000 --items 4000 --models als,mult-vae

Each model runs in a process of its own, one after another, on generated interactions, split by
`split_interactions`. The seconds are those of `evaluate`, which takes the same time whatever a
model has learnt: so all train for one epoch, those that fold in on a part of the users, and the
linear models leave out the inversion of their matrix. Accuracy has no meaning here and is not
shown. The memory is the process's at its peak, data and training included (on Linux).
"""

import argparse
import resource
from concurrent.futures import ProcessPoolExecutor
from inspect import signature
from multiprocessing import get_context
from unittest.mock import patch

import numpy as np
import scipy.sparse as sp

import recvae as rv
from recvae.models import MODELS

TRAINED_ON = 2000
QUICK = {"epochs": 1, "iterations": 1, "max_gigabytes": 64.0}
KINDS = 50


def main() -> None:
    """Measure each model, and print a line as soon as it is known."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--users", type=int, default=30_000)
    parser.add_argument("--items", type=int, default=41_000)
    parser.add_argument("--models", default=",".join(MODELS), help="separated by commas")
    args = parser.parse_args()
    print("| model | seconds | users a second | GB at the peak |\n|---|---:|---:|---:|")
    for name in args.models.split(","):
        with ProcessPoolExecutor(max_workers=1, mp_context=get_context("spawn")) as process:
            seconds, gigabytes = process.submit(measure, name, args.users, args.items).result()
        print(f"| `{name}` | {seconds:.1f} | {args.users / seconds:,.0f} | {gigabytes:.1f} |")


def measure(name: str, n_users: int, n_items: int) -> tuple[float, float]:
    """Seconds of an evaluation and the process's gigabytes at the peak."""
    split = rv.split_interactions(rv.Interactions.from_matrix(generate(n_users, n_items)))
    options = {key: QUICK[key] for key in signature(MODELS[name]).parameters if key in QUICK}
    model = rv.build_model(name, options)
    train = split.train.matrix[:TRAINED_ON] if model.supports_new_users else split.train
    with patch("recvae.models.families.linear.inverse_", lambda matrix: matrix):
        model.fit(train)
    report = rv.evaluate(model, split.test)
    return report.seconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20


def generate(n_users: int, n_items: int) -> sp.csr_matrix:
    """Draw about 60 items a user: half by their fame, half by the user's kind."""
    rng = np.random.default_rng(0)
    sizes = np.minimum(10 + rng.pareto(1.5, n_users) * 25, 1000).astype(np.int64)
    users = np.repeat(np.arange(n_users), sizes)
    fame = (n_items * rng.random(len(users)) ** 3).astype(np.int64)
    shift = rng.integers(0, n_items, KINDS)[rng.integers(0, KINDS, n_users)][users]
    items = (fame + np.where(rng.random(len(users)) < 0.5, shift, 0)) % n_items
    matrix = sp.csr_matrix((np.ones(len(users), np.float32), (users, items)), (n_users, n_items))
    matrix.data[:] = 1
    return matrix


if __name__ == "__main__":
    main()
