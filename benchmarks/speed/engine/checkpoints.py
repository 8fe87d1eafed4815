"""What checkpoints cost: trainings that keep them, each beside the same without."""

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

import recvae as rv
from benchmarks.speed.clock import alone, clocked, seconds_of, spread
from benchmarks.speed.engine.plain import BATCH
from benchmarks.speed.generated import ML_20M, by_kind
from recvae.engine.checkpoints import Checkpoints

SHAPES = {
    "MovieLens 1M": (4_034, 3_468, 20),
    "MovieLens 20M": (*ML_20M, 2),
    "few users, many items": (6_000, ML_20M[1], 10),
}
"""Users, items, epochs."""
PAIRS, HELD_OUT = 3, 300


def measure(scale: float) -> Iterator[dict[str, Any]]:
    """Each shape in a process of its own: how many times as long a training with them takes."""
    for shape, (n_users, n_items, epochs) in SHAPES.items():
        sizes = int(scale * n_users), max(1000, int(scale * n_items))
        found, _ = alone(compare, *sizes, epochs)
        yield {"shape": shape, "epochs": epochs, **found}


def compare(n_users: int, n_items: int, epochs: int) -> dict[str, Any]:
    """Pairs of trainings, one right after the other, so that both have what else goes on."""
    data = rv.Interactions.from_matrix(by_kind(n_users + 2 * HELD_OUT, n_items))
    split = rv.split_users(data, n_validation=HELD_OUT, n_test=HELD_OUT)
    train(split, 1, None)  # to warm up
    writes = clocked(Checkpoints, "save")
    plain, kept, sizes = [], [], []
    for _ in range(PAIRS):
        plain.append(train(split, epochs, None))
        with TemporaryDirectory(dir=".") as folder:
            kept.append(train(split, epochs, Path(folder)))
            sizes = [path.stat().st_size for path in Path(folder).rglob("*.safetensors")]
    ratios = spread(np.divide(kept, plain))
    return {
        "seconds an epoch": float(f"{np.median(plain) / epochs:.3g}"),
        **{f"times as long, {name}": ratio for name, ratio in ratios.items()},
        "checkpoints": len(writes) // PAIRS,
        "MB each": max(sizes) // 10**6,
        "seconds each": float(f"{np.median(writes):.3g}"),
    }


def train(split: rv.Split, epochs: int, folder: Path | None) -> float:
    """Seconds of a training of Mult-VAE, items - 600 - 200 - 600 - items."""
    model = rv.MultVAE(hidden=(600,), batch_size=BATCH, epochs=epochs, patience=None)
    return seconds_of(lambda: model.fit(split.train, split.validation, checkpoints=folder), 1)[0]
