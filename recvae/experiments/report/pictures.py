"""The pictures of a report: plots with captions, and words for those who can't see them."""

from base64 import b64encode
from dataclasses import dataclass
from io import BytesIO
from typing import Any

import matplotlib as mpl
import pandas as pd

from recvae.display.themes import DARK, LIGHT
from recvae.experiments.comparison import Comparison
from recvae.experiments.report import plots


@dataclass(frozen=True)
class Picture:
    """A plot as SVG for light and for dark pages, and as PNG to put elsewhere; `alt` in words."""

    name: str
    caption: str
    alt: str
    light: bytes
    dark: bytes
    png: bytes


def draw_all(comparison: Comparison) -> list[Picture]:
    """All pictures for which the comparison has the data."""
    alts = {plots.metric_by_length: _lengths, plots.metric_by_activity: _activity}
    if len(comparison.runs) > 1:
        alts = {plots.differences: _behind, plots.metric_by_training_time: _seconds} | alts
    if plots.training_columns(comparison):
        alts[plots.training] = _epochs
    return [
        Picture(
            plot.__name__.replace("_", "-"),
            str(plot.__doc__),
            alt(comparison),
            light=_draw(plot, comparison, LIGHT, format="svg", metadata={"Date": None}),
            dark=_draw(plot, comparison, DARK, format="svg", metadata={"Date": None}),
            png=_draw(plot, comparison, LIGHT, format="png"),
        )
        for plot, alt in alts.items()
    ]


def data_url(svg: bytes) -> str:
    """An image as a part of a page, so that this needs no other file."""
    return f"data:image/svg+xml;base64,{b64encode(svg).decode()}"


def _draw(plot: plots.Plot, comparison: Comparison, theme: dict[Any, Any], **form: Any) -> bytes:
    """A plot as the bytes of an image; `form` is what `Figure.savefig` takes."""
    image = BytesIO()
    with mpl.rc_context(theme):
        plot(comparison).savefig(image, **form)
    return image.getvalue()


def _behind(comparison: Comparison) -> str:
    metric = comparison.metrics[-1]
    behind = _listed(comparison.differences.loc[metric]["difference"], "+.4f")
    return f"Dot plot of {metric} minus that of {comparison.best}. {behind}."


def _seconds(comparison: Comparison) -> str:
    seconds = _listed(comparison.table["training_seconds"], ".1f")
    metric = comparison.metrics[-1]
    return f"Scatter plot of {metric} against seconds of training. Seconds: {seconds}."


def _lengths(comparison: Comparison) -> str:
    values = [
        f"{metric}: {_listed(comparison.curves.T[metric], '.3f')}."
        for metric in ("ndcg@10", "ndcg@100", "recall@10", "recall@100")
    ]
    return f"Line charts of NDCG and recall against K, from 1 to 100. {' '.join(values)}"


def _activity(comparison: Comparison) -> str:
    groups = comparison.activity[comparison.activity["model"] == comparison.best]
    means = _listed(groups.set_index("items")["mean"], ".3f")
    metric = comparison.metrics[-1]
    return f"Line chart of {metric} by items in the history. {comparison.best}: {means}."


def _epochs(comparison: Comparison) -> str:
    epochs = {name: len(history) for name, history in comparison.training.items()}
    return f"Line charts of training, epoch by epoch. Epochs: {_listed(pd.Series(epochs), 'd')}."


def _listed(numbers: pd.Series, form: str) -> str:
    return ", ".join(f"{name} {number:{form}}" for name, number in numbers.items())
