"""Plots of a comparison: functions that draw a Figure, their docstrings the captions."""

from collections.abc import Callable, Iterable
from typing import Any, TypeAlias

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, MaxNLocator

from recvae.display.themes import MARKERS
from recvae.experiments.comparison import Comparison

Plot: TypeAlias = Callable[[Comparison], Figure]

TICKS = (1, 2, 5, 10, 20, 50, 100)

NAME_HEIGHT = 0.055
"""The height of a line's name, as a part of the axis."""
MOST_NAMED = 6
LENGTHENED = ("ndcg", "recall")
"""The metrics that are drawn by the length of the list."""

SHORTEST = 0.01
"""The shortest training time that is drawn, in seconds: a logarithmic axis has no 0."""


def differences(comparison: Comparison) -> Figure:
    """Each model minus the best: the mean over the users and its 95% bootstrap interval.

    Each interval is taken alone. Filled: significantly worse than the best, corrected for all
    comparisons. Hollow: not.
    """
    metric = comparison.metrics[-1]
    to_best, top = comparison.differences.loc[metric], comparison.top[metric]
    figure, (axes,) = _figure(1, height=1.1 + 0.38 * len(to_best))
    axes.axvline(0, color=mpl.rcParams["text.color"], linewidth=1)
    for line, (model, row) in enumerate(to_best.iterrows()):
        style = _style(comparison, str(model))
        filled = mpl.rcParams["figure.facecolor"] if top[model] else None
        axes.hlines(line, row["low"], row["high"], color=style["color"], linewidth=2)
        axes.plot(row["difference"], line, **style, markersize=8, markerfacecolor=filled)
    axes.set_yticks(range(len(to_best)), to_best.index)
    axes.set_ylim(len(to_best) - 0.5, -0.5)
    axes.set_title(f"{metric} minus that of {comparison.best}")
    return figure


def metric_by_training_time(comparison: Comparison) -> Figure:
    """Mean ± standard error over the users, against the seconds that a fit takes."""
    metric = comparison.metrics[-1]
    figure, (axes,) = _figure(1)
    for name, line in comparison.table.iterrows():
        style = _style(comparison, str(name)) | {"linestyle": "", "markersize": 8}
        seconds = max(line["training_seconds"], SHORTEST)
        axes.errorbar(seconds, line[metric], line[f"{metric}_stderr"], label=name, **style)
    axes.set(xscale="log", title=metric, xlabel="seconds of training")
    axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5), numticks=20))
    axes.xaxis.set_major_formatter("{x:g}")
    axes.minorticks_off()
    _legend(figure, [axes])
    return figure


def metric_by_length(comparison: Comparison) -> Figure:
    """NDCG and recall against the length of the list.

    Grey: models whose lines end too near to one that is named. Recall divides by min(K, n), n being
    the number of items held out, so that it may fall before it rises.
    """
    figure, panels = _figure(2)
    named = _apart(comparison)
    for axes, kind in zip(panels, LENGTHENED, strict=True):
        curves = _curves(comparison, kind)
        lengths = [int(name.partition("@")[2]) for name in curves.index]
        for name in comparison.runs:
            color = f"C{named.index(name)}" if name in named else mpl.rcParams["text.color"]
            alpha, above = (1, 3) if name in named else (0.2, 2)
            axes.plot(lengths, curves[name], color=color, alpha=alpha, zorder=above)
            if name in named:
                end = (lengths[-1] * 1.08, curves[name].iloc[-1])
                axes.annotate(name, end, color=color, va="center", fontsize=9)
        axes.set(xscale="log", title=f"{kind}@K", xlabel="K, the length of the list")
        axes.set_xticks(TICKS, [str(tick) for tick in TICKS])
        axes.minorticks_off()
    return figure


def _curves(comparison: Comparison, kind: str) -> pd.DataFrame:
    """A metric of all models at each length."""
    return comparison.curves.filter(regex=f"^{kind}@", axis="index")


def _apart(comparison: Comparison) -> list[str]:
    """The best model, and each next one whose lines end a name's height from all others."""
    curves = [_curves(comparison, kind) for kind in LENGTHENED]
    heights = pd.DataFrame([part.iloc[-1] / np.ptp(part.to_numpy()) for part in curves])
    named: list[str] = []
    for name in heights.iloc[0].sort_values(ascending=False).index:
        gaps = (heights[named].sub(heights[name], axis=0)).abs()
        if len(named) < MOST_NAMED and not (gaps < NAME_HEIGHT).any(axis=None):
            named.append(name)
    return named


def metric_by_activity(comparison: Comparison) -> Figure:
    """Mean ± standard error over users in quarters by the length of the history that models saw."""
    figure, (axes,) = _figure(1)
    groups = dict(list(comparison.activity.groupby("model", sort=False)))
    shifts = 0.3 * (np.arange(len(groups)) - (len(groups) - 1) / 2) / len(groups)
    for shift, (name, group) in zip(shifts, groups.items(), strict=True):
        places = np.arange(len(group)) + shift
        style = _style(comparison, str(name))
        axes.errorbar(places, group["mean"], group["stderr"], label=name, linestyle="", **style)
    spans = groups[comparison.best]["items"]
    axes.set_xticks(range(len(spans)), spans)
    axes.set(title=comparison.metrics[-1], xlabel="items in the user's history")
    _legend(figure, [axes])
    return figure


def training(comparison: Comparison) -> Figure:
    """Loss on the training users, quality on the validation users, and beta, epoch by epoch.

    Beta is the weight of the KL term. The best epoch by validation is the one kept.
    """
    columns = training_columns(comparison)
    figure, panels = _figure(len(columns))
    for axes, column in zip(panels, columns, strict=True):
        for name, history in comparison.training.items():
            if _is_drawn(history, column):
                style = _style(comparison, name) | {"marker": ""}
                axes.plot(history["epoch"], history[column], label=name, **style)
        axes.set(title=f"validation {column}" if "@" in column else column, xlabel="epoch")
        axes.xaxis.set_major_locator(MaxNLocator(nbins=6, integer=True))
    _legend(figure, panels)
    return figure


def training_columns(comparison: Comparison) -> list[str]:
    """The columns that `training` draws: loss, validation metrics and beta, if a model has them."""
    histories = comparison.training.values()
    columns = sorted({str(column) for history in histories for column in history})
    metrics = [column for column in columns if "@" in column]
    return [
        column
        for column in ("loss", *metrics, "beta")
        if any(_is_drawn(history, column) for history in histories)
    ]


def _is_drawn(history: pd.DataFrame, column: str) -> bool:
    return column in history and bool(history[column].fillna(0).any())


def _figure(n_panels: int, height: float = 3.9) -> tuple[Figure, list[Axes]]:
    figure = Figure(figsize=(9, height), layout="constrained")
    return figure, list(figure.subplots(1, n_panels, squeeze=False)[0])


def _style(comparison: Comparison, model: str) -> dict[str, Any]:
    """Colour and marker of a model, the same in every plot."""
    place = list(comparison.runs).index(model)
    lap = place // len(MARKERS)  # there are as many colours: shift the markers against them
    return {"color": f"C{place}", "marker": MARKERS[(place + lap) % len(MARKERS)]}


def _legend(figure: Figure, panels: Iterable[Axes]) -> None:
    """One legend for all panels, a line per model."""
    entries: dict[str, Artist] = {}
    for axes in panels:
        handles, labels = axes.get_legend_handles_labels()
        entries.update(zip(labels, handles, strict=True))
    columns = min(len(entries), 6)
    figure.legend(entries.values(), entries, loc="outside lower center", ncols=columns)
