"""How soon a list is there by an index of a model's vectors, and how much of the exact list it has.

    pip install faiss-cpu
    python -m benchmarks.speed.vectors  # a Mult-VAE of 1,000,000 items
    python -m benchmarks.speed.vectors --items 50000

The Mult-VAE trains on generated data in which there is something to learn. FAISS's IVF index sorts
its items into clusters and looks, for a user, only into those whose centres score highest. All
lists are made by one thread, and hold items of the history too.
"""

import sys
from collections.abc import Callable, Iterator
from importlib import import_module
from math import isqrt
from time import perf_counter
from typing import Any, TypeAlias

import numpy as np
import scipy.sparse as sp
import torch

import recvae as rv
from benchmarks.common import options
from benchmarks.speed.clock import peak_gigabytes
from benchmarks.speed.generated import by_topics
from recvae.models import MultVAE

Lists: TypeAlias = Callable[[Any], np.ndarray]
"""Histories or vectors of some users -> int64 [users, K]."""

N_TRAINED_ON, N_USERS, AT_ONCE, K = 20_000, 200, 100, 100
ROUNDS, PER_CLUSTER = 8, 64
"""Of k-means, which finds the clusters; and how many items it looks at for each."""


def main() -> None:
    """Train, and print a line for each way to the lists."""
    parser = options(__doc__)
    parser.add_argument("--items", type=int, default=1_000_000)
    args = parser.parse_args()
    matrix = by_topics(N_TRAINED_ON + N_USERS, args.items)
    model = rv.MultVAE(hidden=(256,), latent=128, epochs=8).fit(matrix[:N_TRAINED_ON])
    users = matrix[N_TRAINED_ON:]
    print("| way | ms a user | recall of the exact list |\n|---|---:|---:|")
    for way, milliseconds, recall in measure(model, users):
        print(f"| {way} | {milliseconds:.2f} | {recall:.1%} |", flush=True)
    print(f"{peak_gigabytes():.1f} GB at the peak")


def measure(model: MultVAE, users: sp.csr_matrix) -> Iterator[tuple[str, float, float]]:
    """Each way, its milliseconds for a user, and how much of the exact lists it finds."""
    torch.set_num_threads(1)
    for size in (1, AT_ONCE):
        exact, milliseconds = timed(
            lambda rows: model.recommend(rows, K, exclude_seen=False)[0], users, size
        )
        yield f"exact, {size} at once", milliseconds, 1.0
    index, n_clusters = index_of(torch.column_stack(model.last_layer()).numpy())
    queries = rv.query_vectors(model, users)
    for part in (64, 32, 16, 8):
        index.nprobe = n_clusters // part
        found, milliseconds = timed(lambda rows: index.search(rows, K)[1], queries, 1)
        hits = [len(np.intersect1d(*pair)) for pair in zip(found, exact, strict=True)]
        yield f"{index.nprobe} of {n_clusters:,} clusters", milliseconds, float(np.mean(hits)) / K


def timed(lists: Lists, users: Any, size: int) -> tuple[np.ndarray, float]:
    """The lists of all users, made for so many at once, and the milliseconds for each."""
    started = perf_counter()
    parts = [lists(users[start : start + size]) for start in range(0, N_USERS, size)]
    return np.concatenate(parts), 1000 * (perf_counter() - started) / N_USERS


def index_of(vectors: np.ndarray) -> tuple[Any, int]:
    """An index that searches by one thread, and how many clusters it has."""
    faiss, n_clusters = import_module("faiss"), 4 * isqrt(len(vectors))
    kind = f"IVF{n_clusters},Flat"
    started = perf_counter()
    index = faiss.index_factory(vectors.shape[1], kind, faiss.METRIC_INNER_PRODUCT)
    index.cp.niter, index.cp.max_points_per_centroid = ROUNDS, PER_CLUSTER
    index.train(vectors)
    index.add(vectors)
    print(f"FAISS made {kind} in {perf_counter() - started:.0f} s", file=sys.stderr)
    faiss.omp_set_num_threads(1)
    return index, n_clusters


if __name__ == "__main__":
    main()
