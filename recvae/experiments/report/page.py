"""The report of a comparison: one page to read, and files to work with."""

import json
from base64 import b64encode
from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO
from os import PathLike
from pathlib import Path
from typing import Any

import matplotlib as mpl
import pandas as pd

from recvae import options
from recvae.disk import atomic
from recvae.disk.paths import path_of
from recvae.display.templates import render
from recvae.display.themes import DARK, LIGHT
from recvae.errors import WriteError
from recvae.evaluation.metrics import METRICS, Metric
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


def write_report(comparison: Comparison, folder: str | PathLike[str]) -> Path:
    """Write a comparison as `index.html`, `comparison.json`, three CSV tables and the plots.

    Returns:
        The path of `index.html`, which needs none of the other files.

    Raises:
        WriteError: the folder can't be written, or holds the page of something else.
    """
    folder = path_of(folder)
    require_own(folder)
    with atomic.writing_to(folder):
        (folder / "plots").mkdir(parents=True, exist_ok=True)
        for name, content in _files(comparison):
            with atomic.draft_of(folder / name) as draft:
                draft.write_bytes(content)
    return folder / "index.html"


def require_own(folder: Path) -> None:
    """Raise WriteError if a folder holds a page that is no report."""
    if (folder / "index.html").exists() and not (folder / "comparison.json").exists():
        raise WriteError(f"{folder} holds an index.html of something else: choose another folder.")


def _files(comparison: Comparison) -> Iterator[tuple[str, bytes]]:
    """The names and contents of all files, the page last."""
    pictures = _pictures(comparison)
    for picture in pictures:
        yield f"plots/{picture.name}.svg", picture.light
        yield f"plots/{picture.name}.png", picture.png
    facts = json.dumps(comparison.to_dict(), indent=2, ensure_ascii=False)
    yield "comparison.json", f"{facts}\n".encode()
    yield "table.csv", comparison.table.to_csv().encode()
    yield "differences.csv", comparison.differences.to_csv().encode()
    yield "per_user.csv", comparison.per_user.to_csv(index=False).encode()
    yield "index.html", _html(comparison, pictures).encode()


def _html(comparison: Comparison, pictures: list[Picture]) -> str:
    return render(
        "recvae.experiments.report",
        "report.html",
        comparison=comparison,
        pictures=pictures,
        data_url=_data_url,
        options={name: options.values(model) for name, model in comparison.models.items()},
        # The first line of each metric's own documentation.
        definitions={
            metric: str(METRICS[Metric.parse(metric).kind].__doc__).splitlines()[0]
            for metric in comparison.metrics
        },
    )


def _pictures(comparison: Comparison) -> list[Picture]:
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


def _data_url(svg: bytes) -> str:
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
