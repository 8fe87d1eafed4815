"""Several processes train one model: seconds and megabytes of a step, losses and NDCG.

Each process has one thread. `torchrun` starts this file for every grid.
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
import torch
from lab import BATCH, like_ml_20m

import recvae as rv
from recvae.groups import Group
from recvae.processes import joined
from recvae.trainer import Trainer

GRIDS = ((1, 1), (1, 2), (2, 1), (1, 4), (2, 2))
"""Processes that share the users, times those that share the items."""
N_USERS, N_HELD_OUT, EPOCHS = 10_000, 500, 3


def measure(scale: float) -> Iterator[dict[str, Any]]:
    """Each grid."""
    for users, items in GRIDS:
        with TemporaryDirectory() as folder:
            out = Path(folder) / "found.json"
            start = (
                "-m",
                "torch.distributed.run",
                "--standalone",
                f"--nproc-per-node={users * items}",
            )
            command = [sys.executable, *start, __file__, str(items), str(scale), str(out)]
            subprocess.run(command, check=True, env=os.environ | {"OMP_NUM_THREADS": "1"})
            yield {"users x items": f"{users} x {items}", **json.loads(out.read_text())}


def train(scale: float) -> dict[str, Any]:
    """Losses of the epochs, the NDCG, and what a step takes."""
    data = rv.Interactions.of(like_ml_20m(scale, N_USERS))
    split = rv.split_users(data, n_validation=N_HELD_OUT, n_test=1)
    model = rv.MultVAE(epochs=EPOCHS, batch_size=BATCH, precision="float32")
    steps = watch_steps()
    model.fit(split.train)
    seconds, megabytes = (float(np.median(values)) for values in zip(*steps, strict=True))
    return {
        "losses": [round(loss, 4) for loss in model.history_["loss"]],
        "ndcg@100": round(rv.evaluate(model, split.validation).mean["ndcg@100"], 6),
        "seconds a step": round(seconds, 4),
        "megabytes a step": round(megabytes, 2),
    }


def watch_steps() -> list[tuple[float, float]]:
    """A list that gets the seconds of each step, and the megabytes that a process gave others."""
    steps: list[tuple[float, float]] = []
    given: list[int] = []
    usual_step = Trainer._step

    def step(*arguments: Any) -> Any:
        given.clear()
        start = perf_counter()
        terms = usual_step(*arguments)
        steps.append((perf_counter() - start, sum(given) / 1e6))
        return terms

    for name in ("sum", "stack"):
        setattr(Group, name, counted(getattr(Group, name), given))
    Trainer._step = step  # type: ignore[method-assign]
    return steps


def counted(usual: Callable[[Group, torch.Tensor], torch.Tensor], given: list[int]) -> Any:
    """The same method, which notes the size of each tensor."""

    def method(self: Group, tensor: torch.Tensor) -> torch.Tensor:
        given.append(tensor.nbytes if self.size > 1 else 0)
        return usual(self, tensor)

    return method


if __name__ == "__main__":
    item_shards, scale, out = sys.argv[1:]
    with joined(int(item_shards)) as together:
        found = train(float(scale))
        if together.everyone.rank == 0:
            Path(out).write_text(json.dumps(found))
