"""Completion: labels of 1 to 100% of the users or items, for the others, by codes and by SVD."""

from functools import cache, partial
from itertools import chain, product
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from sklearn.decomposition import TruncatedSVD
from sklearn.metrics import log_loss
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import Normalizer

import recvae as rv
from benchmarks.quality.latent.features import SIZE, TARGETS, described
from benchmarks.quality.latent.lab import fitted, likes, mean, once, points, split

CODES = ("mult-vae", "elsa", "svd", "nothing")
KNOWN = (0.01, 0.05, 0.2, 1.0)
"""Of the labels of four fifths; the others are judged."""
OF_ITEM = "genre of items"
LABELS = ("gender", "age band", "favourite genre", OF_ITEM)
DRAWS, BINS, RARE = 5, 10, 20
MEASURED = ("log loss", "accuracy", "calibration error")
DRAWN = ("log loss", "calibration error")


def measure() -> dict[str, Any]:
    """Log loss, accuracy and calibration error, with their standard errors over the draws."""
    lines = [
        once(f"ml-1m/complete-{name}-{kind}", partial(judge, name, kind))
        for name, kind in product(LABELS, CODES)
    ]
    table = pd.DataFrame(chain.from_iterable(lines))
    found: dict[str, Any] = {"draws": DRAWS, "features": SIZE}
    for (name, known), some in table.groupby(["label", "known"], sort=False):
        draws = some.pivot(index="draw", columns="codes", values=list(MEASURED))
        lead = mean(draws["log loss", "svd"] - draws["log loss", "mult-vae"])
        found.setdefault(str(name), {})[f"{known:.0%}"] = {
            **{kind: {one: mean(draws[one, kind]) for one in MEASURED} for kind in CODES},
            "lead over svd": lead,
        }
    return found


def judge(name: str, kind: str) -> list[dict[str, Any]]:
    """A line for each draw and share; no two draws judge the same, nor know the same up to 20%."""
    rows, labels = codes(name, kind), attribute(name)
    lines = []
    order, size = np.random.default_rng(0).permutation(len(labels)), len(labels) // DRAWS
    for draw in range(DRAWS):
        judged, rest = np.split(np.roll(order, -draw * size), [size])
        for share in KNOWN:
            told = labels.where(labels.index.isin(rest[: round(share * len(rest))]))
            told = told.where(told.map(told.value_counts()) > 1)
            chances = rv.latent.complete(rows, told).iloc[judged]
            line = {"label": name, "codes": kind, "known": share, "draw": draw}
            lines.append(line | quality_of(chances, labels.iloc[judged]))
    return lines


@cache
def attribute(name: str) -> pd.Series:
    """An attribute of the users, or the genre of the items that have one alone."""
    if name != OF_ITEM:
        return pd.Series(described()[1][name])
    return split().train.items["genres"][items()].reset_index(drop=True)


def items() -> np.ndarray:
    """bool [items]: the items with one genre alone, that some others have."""
    genres = split().train.items["genres"]
    counts = genres.map(genres.value_counts())
    return ((counts >= RARE) & ~genres.str.contains("|", regex=False)).to_numpy()


def codes(name: str, kind: str) -> np.ndarray:
    """The numbers by which it is told: codes have seen histories, and no label."""
    if kind == "nothing":
        return np.zeros((len(attribute(name)), 1))
    if name == OF_ITEM:
        vectors = (
            svd()[-1].components_.T
            if kind == "svd"
            else rv.latent.item_codes(fitted(kind), split().train.matrix)
        )
        return vectors[items()]
    known = likes("ml-1m").item_ids.get_indexer(split().train.item_ids)
    histories = described()[0][TARGETS[name]][:, known]
    return svd().transform(histories) if kind == "svd" else fitted(kind).encode(histories)[0]


@cache
def svd() -> Any:
    """Principal directions of the histories that the encoders were trained on."""
    pipeline = make_pipeline(Normalizer(), TruncatedSVD(SIZE, random_state=0))
    return pipeline.fit(split().train.matrix)


def quality_of(chances: pd.DataFrame, labels: pd.Series) -> dict[str, float]:
    """How good probabilities are, values that are known once or never having at least 0.0001.

    The calibration error is that of the likeliest values' chances, in bins of as many each.
    """
    chances = chances.reindex(columns=np.unique(labels), fill_value=0).clip(lower=1e-4)
    sure, hits = chances.max(axis=1), (chances.idxmax(axis=1) == labels).astype(float)
    bins = pd.qcut(sure.rank(method="first"), BINS)
    rows = chances.div(chances.sum(axis=1), axis=0)
    return {
        "log loss": float(log_loss(labels, rows)),
        "accuracy": hits.mean(),
        "calibration error": float((hits - sure).groupby(bins, observed=True).mean().abs().mean()),
    }


def draw(found: dict[str, Any]) -> Figure:
    """Log loss and calibration error by how many labels are known, for each label."""
    figure = Figure(figsize=(12, 4.6), layout="constrained")
    panels = figure.subplots(2, len(LABELS), sharex=True)
    for (row, measure), (column, name) in product(enumerate(DRAWN), enumerate(LABELS)):
        axes = panels[row, column]
        for kind in CODES:
            values, errors = points(of[kind][measure] for of in found[name].values())
            axes.errorbar(list(found[name]), values, errors, label=kind, marker="o")
        axes.set_title("" if row else name)
    for axes, measure in zip(panels[:, 0], DRAWN, strict=True):
        axes.set_ylabel(measure)
    figure.supxlabel("labels that are known", fontsize="medium")
    panels[0, -1].legend()
    return figure
