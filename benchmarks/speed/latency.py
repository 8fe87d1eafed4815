"""How soon a list is there: by Python, and by onnxruntime from the same model exported.

    python -m benchmarks.speed.latency  # a Mult-VAE of 20,000 items, hardly trained
    python -m benchmarks.speed.latency runs/vae runs/best --threads 2

Milliseconds for one user and for a batch, with histories of 1 to 200 items drawn at random. Both
make whole lists, seen items left out; neither does anything with raw ids.
"""

import argparse
import tempfile
from collections.abc import Callable
from pathlib import Path
from time import perf_counter

import numpy as np
import onnxruntime
import scipy.sparse as sp
import torch

import recvae as rv
from benchmarks.speed.serving import save_generated
from recvae.models import Recommender

K = 10
CALLS, SECONDS = 20, 5.0
"""A measurement takes so many calls at least, and so long."""


def main() -> None:
    """Measure each model, and print a line as soon as it is known."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("models", nargs="*", help="folders of saved models")
    parser.add_argument("--items", type=int, default=20_000, help="of the generated model")
    parser.add_argument("--batch", type=int, default=64, help="users in a batch")
    parser.add_argument("--threads", type=int, default=1)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    print("| model | users | Python p50, ms | p99 | onnxruntime p50, ms | p99 |")
    print("|---|---:|---:|---:|---:|---:|")
    with tempfile.TemporaryDirectory() as folder:
        for saved in args.models or [save_generated(args.items, f"{folder}/generated")]:
            model = rv.load_model(saved, device="cpu")
            session = start(model, Path(folder) / "model.onnx", args.threads)
            for n_users in (1, args.batch):
                line = compare(model, session, n_users)
                print(f"| `{model.name}`, {len(model.items_):,} items | {n_users} | {line} |")


def start(model: Recommender, path: Path, threads: int) -> onnxruntime.InferenceSession:
    """Export a model and load it."""
    rv.export_onnx(model, path, K)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    return onnxruntime.InferenceSession(path, options)


def compare(model: Recommender, session: onnxruntime.InferenceSession, n_users: int) -> str:
    """Milliseconds, median and 99th percentile, of both for the same histories."""
    rows = draw(len(model.items_), n_users)
    histories, items = as_csr(rows, len(model.items_)), as_padded(rows)
    taken = (
        measure(lambda: model.recommend(histories, K)),
        measure(lambda: session.run(None, {"items": items})),
    )
    return " | ".join(f"{value:.2f}" for one in taken for value in np.percentile(one, [50, 99]))


def draw(n_items: int, n_users: int) -> list[np.ndarray]:
    """Histories of about 33 items, 1 to 200."""
    rng = np.random.default_rng(0)
    sizes = np.minimum(rng.geometric(0.03, n_users), 200)
    return [np.sort(rng.choice(n_items, size, replace=False)) for size in sizes]


def as_csr(rows: list[np.ndarray], n_items: int) -> sp.csr_matrix:
    """The histories as a model takes them."""
    indptr = np.cumsum([0, *map(len, rows)])
    ones = np.ones(indptr[-1], dtype=np.float32)
    return sp.csr_matrix((ones, np.concatenate(rows), indptr), shape=(len(rows), n_items))


def as_padded(rows: list[np.ndarray]) -> np.ndarray:
    """The histories as a graph takes them."""
    length = max(map(len, rows))
    return np.array([np.pad(row, (0, length - len(row)), constant_values=-1) for row in rows])


def measure(call: Callable[[], object]) -> list[float]:
    """Milliseconds of each call, after a first that does not count."""
    call()
    taken: list[float] = []
    began = perf_counter()
    while len(taken) < CALLS or perf_counter() - began < SECONDS:
        started = perf_counter()
        call()
        taken.append(1000 * (perf_counter() - started))
    return taken


if __name__ == "__main__":
    main()
