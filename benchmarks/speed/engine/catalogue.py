"""Seconds of a training step by the number of items, all of them or a sample in the softmax."""

from collections.abc import Iterator
from typing import Any, Literal

import pandas as pd
from matplotlib.figure import Figure

import recvae as rv
from benchmarks.speed.clock import alone, each_epoch, spread
from benchmarks.speed.engine import plain
from benchmarks.speed.engine.plain import BATCH
from benchmarks.speed.generated import by_kind
from recvae.display.themes import MARKERS

Way = Literal["plain", "all", "sampled"]

SIZES = (10_000, 30_000, 100_000, 300_000, 1_000_000)
LARGEST: dict[Way, int] = {"plain": 100_000, "all": 300_000, "sampled": 1_000_000}
"""Beyond these a step takes too much time or memory to wait for."""
LABELS: dict[Way, str] = {
    "plain": "plain, dense",
    "all": "softmax over all",
    "sampled": "over a sample",
}
STEPS, EPOCHS = 4, 4
N_USERS = 200_000


def measure(scale: float) -> Iterator[dict[str, Any]]:
    """Each size in each way, in a process of its own."""
    for size in SIZES:
        n_items = int(scale * size)
        for way in (way for way in reversed(LARGEST) if size <= LARGEST[way]):
            seconds, gigabytes = alone(steps, way, n_items)
            hours = sorted(seconds)[len(seconds) // 2] * N_USERS / BATCH / 3600
            yield {
                "items": n_items,
                "softmax": way,
                **spread(seconds),
                "gigabytes": round(gigabytes, 2),
                "hours for 50 epochs of 200,000 users": round(50 * hours, 2),
            }


def steps(way: Way, n_items: int) -> list[float]:
    """Seconds of a step, several times."""
    matrix = by_kind(STEPS * BATCH, n_items)
    if way == "plain":
        return plain.train(matrix, autocast=False)[1:]
    model = rv.MultVAE(epochs=EPOCHS, batch_size=BATCH, softmax=way).fit(matrix)
    return [seconds / STEPS for seconds in each_epoch(model)[1:]]


def draw(found: dict[str, Any]) -> Figure:
    """Seconds of a step by the number of items: medians, and from least to most."""
    figure = Figure(figsize=(6.4, 3.2), layout="constrained")
    axes, lines = figure.subplots(), pd.DataFrame(found["lines"])
    for marker, (way, label) in zip(MARKERS, LABELS.items(), strict=False):
        line = lines[lines["softmax"] == way]
        axes.fill_between(line["items"], line["least"], line["most"], alpha=0.2)
        axes.plot(line["items"], line["median"], marker=marker, label=label)
    axes.set(xscale="log", yscale="log", title="seconds of a training step", xlabel="items")
    axes.set_xticks(sizes := lines["items"].unique(), [f"{size:,}" for size in sizes])
    axes.set_yticks(ticks := [0.1, 0.3, 1, 3], [f"{tick:g}" for tick in ticks])
    axes.minorticks_off()
    figure.legend(loc="outside lower center", ncols=3)
    return figure
