"""The pictures of a report: plots with titles, captions, and words for those who can't see them."""

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
    title: str
    caption: str
    alt: str

    @property
    def name(self) -> str:
        """The name of its files, and of its place on the page."""
        return self.plot.__name__.replace("_", "-")

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
    pictures = [_metric_by_length(comparison), _metric_by_activity(comparison)]
    if len(comparison.runs) > 1:
        pictures = [_differences(comparison), _metric_by_training_time(comparison), *pictures]
    if plots.training_columns(comparison):
        pictures.append(_training(comparison))
    return pictures


def _differences(comparison: Comparison) -> Picture:
    metric = comparison.metrics[-1]
    behind = _listed(comparison.differences.loc[metric]["difference"], "+.4f")
    return Picture(
        plots.differences,
        comparison,
        title="Difference to the best",
        caption=(
            "Mean over the users and its 95% bootstrap interval, each taken alone. Filled: "
            "significantly worse than the best, corrected for all comparisons. Hollow: not."
        ),
        alt=f"Dot plot of {metric} minus that of {comparison.best}. {behind}.",
    )


def _metric_by_training_time(comparison: Comparison) -> Picture:
    seconds = comparison.table["training_seconds"]
    return Picture(
        plots.metric_by_training_time,
        comparison,
        title="Quality by time of training",
        caption="Mean ± standard error over the users, against the time that a fit takes.",
        alt=(
            f"Scatter plot of {comparison.metrics[-1]} against seconds of training. "
            f"Seconds: {_listed(seconds, '.1f')}."
        ),
    )


def _metric_by_length(comparison: Comparison) -> Picture:
    lines = [
        f"{metric}: {_listed(comparison.curves.T[metric], '.3f')}."
        for metric in ("ndcg@10", "ndcg@100", "recall@10", "recall@100")
    ]
    return Picture(
        plots.metric_by_length,
        comparison,
        title="Quality by length of the list",
        caption=(
            "Grey: models whose lines end too near to one that is named. Recall divides by "
            "min(K, n), n being the number of items held out, so that it may fall before it rises."
        ),
        alt=f"Line charts of NDCG and recall against K, from 1 to 100. {' '.join(lines)}",
    )


def _metric_by_activity(comparison: Comparison) -> Picture:
    groups = comparison.activity[comparison.activity["model"] == comparison.best]
    means = pd.Series(groups["mean"].to_numpy(), index=groups["items"])
    return Picture(
        plots.metric_by_activity,
        comparison,
        title="Quality by activity of the user",
        caption=(
            "Users in quarters by the length of the history that the models saw; "
            "mean ± standard error."
        ),
        alt=(
            f"Line chart of {comparison.metrics[-1]} by items in the history. "
            f"{comparison.best}: {_listed(means, '.3f')}."
        ),
    )


def _training(comparison: Comparison) -> Picture:
    epochs = pd.Series({name: len(history) for name, history in comparison.training.items()})
    return Picture(
        plots.training,
        comparison,
        title="Training",
        caption=(
            "Loss on the training users, quality on the validation users, and beta, the weight "
            "of the KL term, epoch by epoch. The best epoch by validation is the one kept."
        ),
        alt=f"Line charts of training, epoch by epoch. Epochs: {_listed(epochs, 'd')}.",
    )


def _listed(numbers: pd.Series, form: str) -> str:
    return ", ".join(f"{name} {number:{form}}" for name, number in numbers.items())
