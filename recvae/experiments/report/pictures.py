"""The pictures of a report: plots with captions, and words for those who can't see them."""

import base64
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import pandas as pd
from matplotlib.figure import Figure

from recvae.display.themes import DARK, LIGHT
from recvae.experiments.comparison import Comparison
from recvae.experiments.report import plots


@dataclass(frozen=True)
class Picture:
    """A plot, drawn for light and for dark pages, and as a file to put elsewhere."""

    plot: Callable[[Comparison], Figure]
    comparison: Comparison
    alt: str

    @property
    def name(self) -> str:
        """The name of its files, and of its place on the page."""
        return self.plot.__name__.replace("_", "-")

    @property
    def title(self) -> str:
        """The name of the plot in words."""
        return self.plot.__name__.replace("_", " ").capitalize()

    @property
    def caption(self) -> str:
        """The plot's own documentation."""
        return str(self.plot.__doc__)

    @cached_property
    def light(self) -> bytes:
        """The SVG for light pages."""
        return plots.draw(self.plot, self.comparison, LIGHT, "svg")

    @property
    def png(self) -> bytes:
        """The image for other places."""
        return plots.draw(self.plot, self.comparison, LIGHT, "png")

    @cached_property
    def urls(self) -> dict[str, str]:
        """The images as data URLs, so that the page needs no other files."""
        images = {"light": self.light, "dark": plots.draw(self.plot, self.comparison, DARK, "svg")}
        return {
            theme: f"data:image/svg+xml;base64,{base64.b64encode(image).decode()}"
            for theme, image in images.items()
        }


def draw_all(comparison: Comparison) -> list[Picture]:
    """All pictures for which the comparison has the data."""
    alts = {plots.metric_by_length: _lengths, plots.metric_by_activity: _activity}
    if len(comparison.runs) > 1:
        compared = {plots.differences: _behind, plots.metric_by_training_time: _seconds}
        alts = compared | alts
    if plots.training_columns(comparison):
        alts[plots.training] = _epochs
    return [Picture(plot, comparison, alt(comparison)) for plot, alt in alts.items()]


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
