"""Completion: labels of 1 to 100% of the users, for the others, by codes and by TruncatedSVD."""

from functools import partial
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from sklearn.metrics import log_loss

import recvae as rv
from benchmarks.quality.latent.features import FEATURES, SIZE, TARGETS, described, new_encoder
from benchmarks.quality.latent.lab import mean, once, points

KNOWN = (0.01, 0.05, 0.2, 1.0)
"""Of the labels of four fifths of the users; the others are judged."""
DRAWS = 5
BINS = 10


def measure() -> dict[str, Any]:
    """Accuracy, log loss and calibration error, with the standard error over the draws."""
    draws = [once(f"ml-1m/complete-{seed}", partial(judge, seed)) for seed in range(DRAWS)]
    lines = pd.concat([pd.DataFrame(draw) for draw in draws])
    found: dict[str, Any] = {"features": SIZE, "draws": DRAWS}
    for name in TARGETS:
        found[name] = {
            f"{share:.0%}": {
                kind: {
                    measured: mean(of[measured].to_numpy())
                    for measured in ("accuracy", "log loss", "calibration error")
                }
                for kind, of in lines[(lines.label == name) & (lines.known == share)].groupby(
                    "features"
                )
            }
            for share in KNOWN
        }
    return found


def judge(seed: int) -> list[dict[str, Any]]:
    """A line for each label, fraction and encoder; encoders see all histories and no label."""
    shown, targets = described()
    rng = np.random.default_rng(seed)
    order = rng.permutation(len(targets["gender"]))
    test, rest = order[: len(order) // 5], order[len(order) // 5 :]
    lines = []
    for kind in FEATURES:
        encoder = new_encoder(kind).fit(shown["all"])
        for name, values in targets.items():
            codes, labels = encoder.transform(shown[TARGETS[name]]), pd.Series(values)
            for share in KNOWN:
                told = labels.where(labels.index.isin(rest[: round(share * len(rest))]))
                told = told.where(told.map(told.value_counts()) > 1)
                chances = rv.latent.complete(codes, told).reindex(
                    columns=np.unique(values), fill_value=0
                )
                found = judged(chances.iloc[test], labels.iloc[test])
                lines.append({"label": name, "features": kind, "known": share} | found)
    return lines


def judged(chances: pd.DataFrame, labels: pd.Series) -> dict[str, float]:
    """How good probabilities are; calibration error: |chance - hits| of the likeliest, in bins."""
    likeliest, sure = chances.idxmax(axis=1), chances.max(axis=1)
    hits = (likeliest == labels).astype(float)
    gaps = (hits - sure).groupby(pd.qcut(sure, BINS, duplicates="drop"), observed=True)
    rows = np.clip(chances.to_numpy(dtype=float), 1e-4, 1)
    return {
        "accuracy": hits.mean(),
        "log loss": float(
            log_loss(labels, rows / rows.sum(axis=1, keepdims=True), labels=list(chances))
        ),
        "calibration error": float((gaps.sum().abs()).sum() / len(labels)),
    }


def draw(found: dict[str, Any]) -> Figure:
    """Log loss by how many labels are known, for each label."""
    figure = Figure(figsize=(8, 2.8), layout="constrained")
    for axes, name in zip(figure.subplots(1, len(TARGETS)), TARGETS, strict=True):
        for kind in FEATURES:
            values, errors = points(of[kind]["log loss"] for of in found[name].values())
            axes.errorbar(list(found[name]), values, errors, label=kind, marker="o")
        axes.set_title(name)
        axes.set_xlabel("labels that are known")
    figure.axes[0].set_ylabel("log loss")
    figure.axes[0].legend()
    return figure
