"""Seconds of training and validation to the best NDCG@100, and to 99% of the paper's way's."""

from collections.abc import Iterator
from time import perf_counter
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

import recvae as rv
from benchmarks.speed.clock import alone
from benchmarks.speed.generated import like_ml_20m
from recvae.display.themes import MARKERS

LARGEST = {"batch_size": 24_576, "epochs": 100}
"""As many users a batch as five steps an epoch leave."""
PAPER = {"learning_rate": 1e-3, "rate_schedule": "constant", "batch_size": 500, "epochs": 100}
WAYS: dict[str, dict[str, Any]] = {
    "the paper's, float32": PAPER | {"precision": "float32"},
    "the paper's": PAPER,
    "defaults": {},
    "large batches": LARGEST | {"learning_rate": 4e-3, "rate_schedule": "constant", "beta": 0.1},
    "large batches, cosine": LARGEST | {"learning_rate": 6e-3},
}
SEEDS = (0, 1, 2)
HELD_OUT = {"ml-1m": 1000, "ml-100k": 150, "ml-latest-small": 100}
"""Validation users, and as many test users."""
GENERATED_USERS = 8_000


def measure(scale: float) -> Iterator[dict[str, Any]]:
    """On three data sets and on a generated one."""
    for data in (*HELD_OUT, "generated"):
        goal = None
        for way in WAYS:
            for seed in some(SEEDS, scale) if data in HELD_OUT else SEEDS[:1]:
                curve, _ = alone(train, data, way, seed, scale)
                seconds, values = curve
                goal = goal or 0.99 * max(values)
                reached = np.flatnonzero(np.array(values) >= goal)
                yield {
                    "data": data,
                    "way": way,
                    "seed": seed,
                    "best": round(max(values), 4),
                    "seconds to it": round(seconds[int(np.argmax(values))], 1),
                    "seconds to 99%": round(seconds[reached[0]], 1) if len(reached) else None,
                }


def some(seeds: tuple[int, ...], scale: float) -> tuple[int, ...]:
    """So many of the seeds, one at least."""
    return seeds[: max(1, round(scale * len(seeds)))]


def train(data: str, way: str, seed: int, scale: float) -> tuple[list[float], list[float]]:
    """When each epoch was over, and its validation value."""
    split = split_of(data, scale)
    seconds, values, start = [], [], perf_counter()

    def note(_: int, value: float) -> None:
        """Keep the time and the value of an epoch."""
        seconds.append(perf_counter() - start)
        values.append(value)

    rv.MultVAE(**WAYS[way], seed=seed).fit(split.train, split.validation, on_epoch=note)
    return seconds, values


def split_of(data: str, scale: float) -> rv.Split:
    """The split of the README, or few users of a catalogue like that of ML-20M."""
    if data in HELD_OUT:
        interactions = rv.load_dataset(data, min_rating=4, min_user_items=5)
        return rv.split_users(interactions, HELD_OUT[data], HELD_OUT[data], seed=98765)
    generated = rv.Interactions.from_matrix(like_ml_20m(scale, GENERATED_USERS))
    held_out = int(1000 * scale)
    return rv.split_users(generated, n_validation=held_out, n_test=held_out)


def draw(found: dict[str, Any]) -> Figure:
    """Seconds to the goal, seed by seed, on the data that are no generated ones."""
    figure = Figure(figsize=(6.4, 3.2), layout="constrained")
    axes, lines = figure.subplots(), pd.DataFrame(found["lines"])
    lines = lines[lines["data"].isin(list(HELD_OUT))]
    for number, (marker, way) in enumerate(zip(MARKERS, lines["way"].unique(), strict=False)):
        runs = lines[lines["way"] == way]
        places = runs["data"].map(list(HELD_OUT).index) + 0.2 * (number - 1)
        axes.plot(runs["seconds to 99%"], places, linestyle="", marker=marker, label=way)
    axes.set(xscale="log", title="seconds to 99% of the best NDCG@100")
    axes.set_ylim(len(HELD_OUT) - 0.5, -0.5)
    axes.set_yticks(range(len(HELD_OUT)), HELD_OUT)
    axes.set_xticks(ticks := [2, 5, 10, 20, 40], map(str, ticks))
    axes.minorticks_off()
    figure.legend(loc="outside lower center", ncols=3)
    return figure
