"""Whether trainings that are killed go on as if nothing had been.

    python -m benchmarks.abuse.kills                          # 100 kills
    python -m benchmarks.abuse.kills --kills 20 --model ensemble

A small training runs in a process, which SIGKILL ends at a random moment; another goes on from its
checkpoints, and is killed in turn, until one comes to its end. Its weights and its history must be
those of a training that nobody disturbed, bit for bit. This repeats until there were enough kills.
A checkpoint is written after each step, so that many of the kills fall inside of a write.
"""

import shutil
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from signal import SIGKILL
from tempfile import TemporaryDirectory
from threading import RLock
from time import perf_counter

import numpy as np
import pandas as pd
import scipy.sparse as sp
from tqdm import tqdm

import recvae as rv
from benchmarks.common import options
from recvae.engine import checkpoints
from recvae.models import MODELS

SMALL = {"latent": 8, "width": 16, "hidden": (16,), "n_components": 8, "rank": 8, "factors": 8}
OPTIONS = SMALL | {"epochs": 10, "batch_size": 20, "patience": None, "device": "cpu"}
TIMES = ["seconds", "users_per_second"]


@dataclass
class Count:
    """What happened.

    Attributes:
        kills: processes that were killed.
        writing: those that were inside of a write.
        resumed: those that left checkpoints to go on from.
        trainings: how many came to their end.
        same: those whose weights and history are the undisturbed training's.
    """

    kills: int = 0
    writing: int = 0
    resumed: int = 0
    trainings: int = 0
    same: int = 0


def main() -> None:
    """Kill, and print the count."""
    parser = options(__doc__)
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--model", default="residual-vae", help="trained in epochs")
    parser.add_argument("--seed", type=int, default=0, help="decides the moments")
    args = parser.parse_args()
    with TemporaryDirectory() as folder:
        count = count_kills(args.model, args.kills, np.random.default_rng(args.seed), Path(folder))
    print(
        f"{count.kills} kills, {count.resumed} after a first checkpoint, {count.writing} inside of "
        f"a write: {count.same} of {count.trainings} trainings ended as if nothing had been."
    )
    raise SystemExit(count.same != count.trainings)


def count_kills(model: str, kills: int, rng: np.random.Generator, folder: Path) -> Count:
    """Train again and again, each time undisturbed after some kills, until there were `kills`."""
    processes = get_context("forkserver")
    # Imported once, and not in each process: there the kills would come before the training.
    processes.set_forkserver_preload([MODELS[model].__module__, "implicit"])

    def train(out: Path, seconds: float | None) -> bool:
        """Train in a process; kill it after so many seconds; say whether it came to its end."""
        process = processes.Process(target=run, args=(model, out))
        process.start()
        process.join(seconds)
        process.kill()
        process.join()
        if process.exitcode not in (0, -SIGKILL):
            raise RuntimeError("a training failed")
        return process.exitcode == 0

    train(folder / "undisturbed", None)
    started = perf_counter()
    train(folder / "timed", None)
    usual = perf_counter() - started
    count = Count()
    while count.kills < kills:
        out = folder / "killed"
        while count.kills < kills and not train(out, rng.uniform(0, usual)):
            count.kills += 1
            count.writing += any(out.rglob(".state*")) or any(out.rglob(".tmp*"))
            count.resumed += checkpoints.has_checkpoints(out)
        train(out, None)
        count.trainings += 1
        count.same += are_same(folder / "undisturbed", out)
        shutil.rmtree(out)
    return count


def run(name: str, out: Path) -> None:
    """Train a model with checkpoints, and save it."""
    checkpoints.MINUTES = 0
    tqdm.set_lock(RLock())  # the usual one is the system's, and left behind by a kill
    fields = MODELS[name].__dataclass_fields__
    model = rv.build_model(name, {key: OPTIONS[key] for key in OPTIONS if key in fields})
    matrix = sp.random(120, 30, density=0.3, format="csr", random_state=0, dtype=np.float32)
    split = rv.split_users(rv.Interactions.from_matrix(matrix), n_validation=20, n_test=5)
    model.fit(split.train, split.validation, checkpoints=out / "checkpoints").save(out)


def are_same(one: Path, other: Path) -> bool:
    """Whether two saved models have the same weights and history, but for the times in it."""
    models = [rv.load_model(folder, device="cpu") for folder in (one, other)]
    weights, others = (next(folder.glob("weights-*")).read_bytes() for folder in (one, other))
    history, its = (pd.DataFrame(model.history_).drop(columns=TIMES) for model in models)
    return weights == others and history.equals(its)


if __name__ == "__main__":
    main()
