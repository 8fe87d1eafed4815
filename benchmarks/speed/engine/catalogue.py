"""Seconds of a training step by the number of items, all of them or a sample in the softmax."""

from collections.abc import Iterator
from typing import Any

import recvae as rv
from benchmarks.speed.engine import plain
from benchmarks.speed.engine.lab import BATCH, alone, generate, spread

SIZES = (10_000, 30_000, 100_000, 300_000, 1_000_000)
LARGEST_PLAIN, LARGEST_ALL = 100_000, 300_000
"""Beyond these a step takes too much time or memory to wait for."""
STEPS, EPOCHS = 4, 4
N_USERS = 200_000


def measure(scale: float) -> Iterator[dict[str, Any]]:
    """Each size in each way, in a process of its own."""
    for n_items in (int(scale * size) for size in SIZES):
        ways = ["sampled"]
        ways += ["all"] * (n_items <= LARGEST_ALL * scale)
        ways += ["plain"] * (n_items <= LARGEST_PLAIN * scale)
        for way in ways:
            seconds, gigabytes = alone(steps, way, n_items)
            hours = sorted(seconds)[len(seconds) // 2] * N_USERS / BATCH / 3600
            yield {
                "items": n_items,
                "softmax": way,
                **spread(seconds),
                "gigabytes": round(gigabytes, 2),
                "hours for 50 epochs of 200,000 users": round(50 * hours, 2),
            }


def steps(way: str, n_items: int) -> list[float]:
    """Seconds of a step, several times."""
    matrix = generate(STEPS * BATCH, n_items)
    if way == "plain":
        return plain.train(matrix, BATCH, autocast=False)[1:]
    model = rv.MultVAE(epochs=EPOCHS, batch_size=BATCH, softmax=way).fit(matrix)
    return (model.history_["seconds"] / STEPS).tolist()[1:]
