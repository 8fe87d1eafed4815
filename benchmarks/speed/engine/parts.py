"""Milliseconds of the parts of a training step, at 500 users of the shape of ML-20M."""

from collections import defaultdict
from collections.abc import Callable, Iterator
from functools import wraps
from time import perf_counter
from typing import Any

import torch

import recvae as rv
from benchmarks.speed.engine.lab import BATCH, alone, like_ml_20m, spread
from recvae.engine import sparse, tiled
from recvae.engine.batches import Resident
from recvae.engine.optimizer import Optimizer
from recvae.engine.trainer import Trainer

STEPS, EPOCHS = 20, 6
PARTS: dict[str, tuple[type, str]] = {
    "batch gathered": (Resident, "take"),
    "input layer": (sparse._Product, "forward"),
    "softmax of the last layer, tile by tile": (tiled._LogLikelihood, "forward"),
    "gradients of the last layer": (tiled._LogLikelihood, "backward"),
    "gradient of the input layer": (sparse._Product, "backward"),
    "Adam, 24 million weights": (torch.optim.Adam, "step"),
    "all gradients and Adam": (Optimizer, "step"),
    "the whole step": (Trainer, "_step"),
}


def measure(scale: float) -> Iterator[dict[str, Any]]:
    """Each part, without the first epoch."""
    found, _ = alone(timed, scale)
    for part, seconds in found.items():
        yield {"part": part, **spread([1000 * second for second in seconds[STEPS:]])}


def timed(scale: float) -> dict[str, list[float]]:
    """Seconds of every call of each part, in a training."""
    seconds: dict[str, list[float]] = defaultdict(list)
    for part, (owner, name) in PARTS.items():
        usual = getattr(owner, name)
        clocked = _clocked(usual, seconds[part])
        is_static = isinstance(vars(owner)[name], staticmethod)
        setattr(owner, name, staticmethod(clocked) if is_static else clocked)
    rv.MultVAE(epochs=EPOCHS, batch_size=BATCH).fit(like_ml_20m(scale)[: STEPS * BATCH])
    return dict(seconds)


def _clocked(function: Callable[..., Any], seconds: list[float]) -> Callable[..., Any]:
    @wraps(function)
    def clocked(*arguments: Any, **options: Any) -> Any:
        started = perf_counter()
        result = function(*arguments, **options)
        seconds.append(perf_counter() - started)
        return result

    return clocked
