"""The default model on a shop's orders and on a million items, trained by the README's command.

    python -m benchmarks.speed.any_size shop      # 37,955 customers, 100,622 products
    python -m benchmarks.speed.any_size million   # 200,000 customers, 1,000,000 products
    python -m benchmarks.speed.any_size million --minutes 30

The orders are generated (`generated.by_topics`), since no such table may be handed on. What is
printed is what `recvae train` says, and then its time and the most memory that it took.
"""

import resource
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter

import numpy as np
import pandas as pd

from benchmarks.common import one_of, options
from benchmarks.speed.generated import by_topics

SIZES = {"shop": (37_955, 100_622, 566_008), "million": (200_000, 1_000_000, 14_000_000)}
"""Customers, products and orders; customers with fewer than five and products of none go."""


def main() -> None:
    """Generate, train, and say what it took."""
    parser = options(__doc__)
    parser.add_argument("size", type=one_of([*SIZES]), help=", ".join(SIZES))
    parser.add_argument("--minutes", help="as `recvae train` takes it")
    args = parser.parse_args()
    with TemporaryDirectory() as folder:
        table = Path(folder, "orders.parquet")
        orders(*SIZES[args.size]).to_parquet(table)
        begun = perf_counter()
        train = f"-m recvae train --data {table} --user customer --item sku --out {folder}/model"
        limit = [] if args.minutes is None else ["--minutes", args.minutes]
        subprocess.run([sys.executable, *train.split(), *limit], check=True)
        minutes = (perf_counter() - begun) / 60
    gigabytes = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024 / 1e9
    print(f"{minutes:.1f} minutes, {gigabytes:.1f} GB")


def orders(n_users: int, n_items: int, n_orders: int) -> pd.DataFrame:
    """A line an order."""
    every = by_topics(n_users, n_items).tocoo()
    chosen = np.random.default_rng(1).random(every.nnz) < n_orders / every.nnz
    return pd.DataFrame({"customer": every.row[chosen], "sku": every.col[chosen]})


if __name__ == "__main__":
    main()
