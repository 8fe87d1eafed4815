"""How soon a list is there: by Python, and by onnxruntime from the same model exported.

    python -m benchmarks.speed.latency  # a Mult-VAE of 20,000 items, hardly trained
    python -m benchmarks.speed.latency runs/vae runs/best --threads 2

Milliseconds for one user and for a batch, with histories of 1 to 200 items drawn at random. Both
make whole lists, seen items left out; neither does anything with raw ids.
"""

import tempfile
from pathlib import Path

import numpy as np
import onnxruntime
import scipy.sparse as sp
import torch

import recvae as rv
from benchmarks.common import options
from benchmarks.speed.clock import seconds_of
from benchmarks.speed.generated import histories, save_model
from recvae.models import Recommender

K = 10
CALLS, SECONDS = 20, 5.0
"""A measurement takes so many calls at least, and so long."""


def main() -> None:
    """Measure each model, and print a line as soon as it is known."""
    parser = options(__doc__)
    parser.add_argument("models", nargs="*", help="folders of saved models")
    parser.add_argument("--items", type=int, default=20_000, help="of the generated model")
    parser.add_argument("--batch", type=int, default=64, help="users in a batch")
    parser.add_argument("--threads", type=int, default=1)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    print("| model | users | Python p50, ms | p99 | onnxruntime p50, ms | p99 |")
    print("|---|---:|---:|---:|---:|---:|")
    with tempfile.TemporaryDirectory() as folder:
        for saved in args.models or [save_model(args.items, f"{folder}/generated")]:
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
    padded = as_padded(histories(len(model.items_), n_users))
    rows, places = (padded >= 0).nonzero()
    entries = np.ones(len(rows), np.float32), (rows, padded[rows, places])
    matrix = sp.csr_matrix(entries, shape=(n_users, len(model.items_)))
    calls = (lambda: model.recommend(matrix, K), lambda: session.run(None, {"items": padded}))
    values = []
    for call in calls:
        call()  # the first does not count
        values += list(np.percentile(seconds_of(call, CALLS, SECONDS), [50, 99]))
    return " | ".join(f"{1000 * value:.2f}" for value in values)


def as_padded(rows: list[np.ndarray]) -> np.ndarray:
    """Histories as a graph takes them: int64 [users, items], -1 where there is none."""
    length = max(map(len, rows))
    return np.array([np.pad(row, (0, length - len(row)), constant_values=-1) for row in rows])


if __name__ == "__main__":
    main()
