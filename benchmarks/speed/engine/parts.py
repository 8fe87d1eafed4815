"""Milliseconds of the parts of a training step, at 500 users of the shape of ML-20M."""

from collections.abc import Iterator
from typing import Any

import recvae as rv
from benchmarks.speed.clock import alone, clocked, spread
from benchmarks.speed.engine.plain import BATCH
from benchmarks.speed.generated import like_ml_20m
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
    "Adam, 24 million weights": (Optimizer, "_step_wholes"),
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
    seconds = {part: clocked(owner, name) for part, (owner, name) in PARTS.items()}
    rv.MultVAE(epochs=EPOCHS, batch_size=BATCH).fit(like_ml_20m(scale)[: STEPS * BATCH])
    return seconds
