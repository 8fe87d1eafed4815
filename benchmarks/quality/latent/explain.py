"""Explain: how well the gradient agrees with leaving each item out, for test users."""

from typing import Any

import numpy as np
from matplotlib.figure import Figure

import recvae as rv
from benchmarks.quality.latent.lab import fitted, mean, points, split

USERS, K = 100, 10
MODELS = ("mult-vae", "mult-vae-deep", "residual-vae")
LENGTHS = (4, 10, 20, 40, 80, 160, 10_000)


def measure() -> dict[str, Any]:
    """Agreement of the two forms, over all users and by the length of the history."""
    histories = split().test.fold_in[:USERS]
    return {"users": USERS, "k": K, "models": {name: agree(name, histories) for name in MODELS}}


def agree(name: str, histories: Any) -> dict[str, Any]:
    """What `agreement` says of a model."""
    table = rv.latent.agreement(fitted(name), histories, K)
    group = np.searchsorted(LENGTHS, np.diff(histories.indptr), side="right") - 1
    by_length = table["correlation"].groupby(group)
    means: dict[str, Any] = {str(column): mean(values) for column, values in table.items()}
    return means | {"by length": {LENGTHS[at]: mean(values) for at, values in by_length}}


def draw(found: dict[str, Any]) -> Figure:
    """The correlation by the length of the history."""
    figure = Figure(figsize=(6, 3.4), layout="constrained")
    axes = figure.subplots()
    for name, line in found["models"].items():
        labels = [f"{low}+" for low in line["by length"]]
        axes.errorbar(labels, *points(line["by length"].values()), marker="o", label=name)
    axes.set_xlabel("items in the history")
    axes.set_ylabel("Spearman's correlation")
    axes.legend()
    return figure
