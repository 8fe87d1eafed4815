"""Several processes train one model: seconds and megabytes of a step, losses and NDCG.

Each process has one thread. `torchrun` starts this module for every grid.
"""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Any

import numpy as np
import scipy.sparse as sp
import torch

import recvae as rv
from benchmarks.speed.clock import each_epoch, peak_gigabytes, spread
from benchmarks.speed.engine.plain import BATCH
from benchmarks.speed.generated import like_ml_20m
from recvae.engine.groups import Group
from recvae.engine.processes import joined
from recvae.engine.trainer import Trainer

GRIDS = ((1, 1), (1, 2), (2, 1), (1, 4), (2, 2))
"""Processes that share the users, times those that share the items."""
N_USERS, EPOCHS = 10_000, 3


def measure(scale: float) -> Iterator[dict[str, Any]]:
    """Each grid, then a catalogue of ten million items."""
    for users, items in GRIDS:
        yield run("train", users, items, scale)
    yield run("train_millions", 1, 2, scale)


def run(name: str, users: int, items: int, scale: float) -> dict[str, Any]:
    """What a function of this file gives in a grid."""
    with TemporaryDirectory() as folder:
        out = Path(folder) / "found.json"
        start = ("-m", "torch.distributed.run", "--standalone", f"--nproc-per-node={users * items}")
        called = ("--module", __name__, name, str(items), str(scale), str(out))
        command = [sys.executable, *start, *called]
        subprocess.run(command, check=True, env=os.environ | {"OMP_NUM_THREADS": "1"})
        found: dict[str, Any] = json.loads(out.read_text())
    return {"users x items": f"{users} x {items}", **found}


def train(scale: float) -> dict[str, Any]:
    """Losses of the epochs, the NDCG, and what a step takes."""
    data = rv.Interactions.from_matrix(like_ml_20m(scale, N_USERS))
    split = rv.split_users(data, n_test=1)
    model = rv.MultVAE(epochs=EPOCHS, batch_size=BATCH, precision="float32")
    steps = watch_steps()
    model.fit(split.train)
    seconds, waited, megabytes = zip(*steps, strict=True)
    return {
        "losses": [round(loss, 4) for loss in each_epoch(model, "loss")],
        "ndcg@100": round(rv.evaluate(model, split.validation).mean["ndcg@100"], 6),
        **{f"seconds a step, {name}": second for name, second in spread(seconds).items()},
        "in exchanges": round(float(np.median(waited)), 4),
        "megabytes": round(float(np.median(megabytes)), 2),
    }


def train_millions(scale: float) -> dict[str, Any]:
    """The seconds of an epoch, and what the first process takes at the most."""
    n_users, n_items = 2_000, int(10_000_000 * scale)
    columns = (n_items * np.random.default_rng(0).random(n_users * 60) ** 3).astype(np.int64)
    shape, offsets = (n_users, n_items), np.arange(n_users + 1) * 60
    matrix = sp.csr_matrix((np.ones(len(columns), dtype=np.float32), columns, offsets), shape)
    model = rv.MultVAE(hidden=(), latent=16, epochs=2, batch_size=BATCH).fit(matrix)
    return {
        "items": n_items,
        "seconds an epoch": round(each_epoch(model)[-1], 2),
        "gigabytes": round(peak_gigabytes(), 2),
    }


def watch_steps() -> list[tuple[float, float, float]]:
    """A list that gets, of each step, its seconds, those of exchanges, and the megabytes given."""
    steps: list[tuple[float, float, float]] = []
    exchanges: list[tuple[float, float]] = []
    usual = Trainer._step

    def step(*arguments: Any) -> Any:
        """The same, which notes what it took."""
        exchanges.clear()
        start = perf_counter()
        terms = usual(*arguments)
        waited, megabytes = map(sum, zip(*exchanges, strict=True))
        steps.append((perf_counter() - start, waited, megabytes))
        return terms

    for name in ("sum", "all_gather"):
        setattr(Group, name, watched(getattr(Group, name), exchanges))
    setattr(Trainer, "_step", step)  # noqa: B010 - mypy allows no method to be replaced
    return steps


def watched(usual: Callable[[Group, torch.Tensor], torch.Tensor], exchanges: list[Any]) -> Any:
    """The same method, which notes how long it takes, and the megabytes of what it is given."""

    def method(self: Group, tensor: torch.Tensor) -> torch.Tensor:
        """The same."""
        start = perf_counter()
        result = usual(self, tensor)
        size = tensor.nbytes / 1e6 if self.size > 1 else 0.0
        exchanges.append((perf_counter() - start, size))
        return result

    return method


if __name__ == "__main__":
    name, item_shards, scale, out = sys.argv[1:]
    with joined(int(item_shards)) as together:
        found = {"train": train, "train_millions": train_millions}[name](float(scale))
        if together.everyone.rank == 0:
            Path(out).write_text(json.dumps(found))
