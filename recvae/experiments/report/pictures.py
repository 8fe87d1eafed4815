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
    return [
        Picture(
            plot.__name__.replace("_", "-"),
            str(plot.__doc__),
            alt,
            light=_draw(plot, comparison, LIGHT, format="svg", metadata={"Date": None}),
            dark=_draw(plot, comparison, DARK, format="svg", metadata={"Date": None}),
            png=_draw(plot, comparison, LIGHT, format="png"),
        )
        for plot, alt in _in_words(comparison).items()
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


def _in_words(comparison: Comparison) -> dict[plots.Plot, str]:
    """The plots for which the comparison has the data, and what each shows."""
    metric, best = comparison.metrics[-1], comparison.best
    told: dict[plots.Plot, str] = {}
    if len(comparison.runs) > 1:
        behind = _listed(comparison.differences.loc[metric]["difference"], "+.4f")
        told[plots.differences] = f"Dot plot of {metric} minus that of {best}. {behind}."
        seconds = _listed(comparison.table["training_seconds"], ".1f")
        about = f"Scatter plot of {metric} against seconds of training."
        told[plots.metric_by_training_time] = f"{about} Seconds: {seconds}."
    shown = comparison.curves.loc[["ndcg@10", "ndcg@100", "recall@10", "recall@100"]]
    values = " ".join(f"{name}: {_listed(line, '.3f')}." for name, line in shown.iterrows())
    about = "Line charts of NDCG and recall against K, from 1 to 100."
    told[plots.metric_by_length] = f"{about} {values}"
    groups = comparison.activity[comparison.activity["model"] == best].set_index("items")
    about = f"Line chart of {metric} by items in the history."
    told[plots.metric_by_activity] = f"{about} {best}: {_listed(groups['mean'], '.3f')}."
    if plots.training_columns(comparison):
        epochs = pd.Series({name: len(history) for name, history in comparison.training.items()})
        about = "Line charts of training, epoch by epoch."
        told[plots.training] = f"{about} Epochs: {_listed(epochs, 'd')}."
    return told


def _listed(numbers: pd.Series, form: str) -> str:
    return ", ".join(f"{name} {number:{form}}" for name, number in numbers.items())
