"""The report of a comparison: one page to read, and files to work with."""

import json
from os import PathLike
from pathlib import Path

from recvae import options
from recvae.disk import atomic
from recvae.display.templates import render
from recvae.errors import WriteError
from recvae.evaluation.metrics import METRICS, Metric
from recvae.experiments.comparison import Comparison
from recvae.experiments.report.pictures import Picture, data_url, draw_all


def write_report(comparison: Comparison, folder: str | PathLike[str]) -> Path:
    """Write a comparison as `index.html`, `comparison.json`, three CSV tables and the plots.

    Returns:
        The path of `index.html`, which needs none of the other files.

    Raises:
        WriteError: the folder can't be written, or holds the page of something else.
    """
    folder = Path(folder).expanduser()
    require_own(folder)
    with atomic.writing_to(folder):
        (folder / "plots").mkdir(parents=True, exist_ok=True)
        pictures = draw_all(comparison)
        for picture in pictures:
            (folder / "plots" / f"{picture.name}.svg").write_bytes(picture.light)
            (folder / "plots" / f"{picture.name}.png").write_bytes(picture.png)
        _write_tables(comparison, folder)
        page = folder / "index.html"
        page.write_text(_html(comparison, pictures), encoding="utf-8")
    return page


def require_own(folder: Path) -> None:
    """Raise WriteError if a folder holds a page that is no report."""
    if (folder / "index.html").exists() and not (folder / "comparison.json").exists():
        raise WriteError(f"{folder} holds an index.html of something else: choose another folder.")


def _write_tables(comparison: Comparison, folder: Path) -> None:
    facts = json.dumps(comparison.to_dict(), indent=2, ensure_ascii=False)
    (folder / "comparison.json").write_text(facts + "\n", encoding="utf-8")
    comparison.table.to_csv(folder / "table.csv")
    comparison.differences.to_csv(folder / "differences.csv")
    comparison.per_user.to_csv(folder / "per_user.csv", index=False)


def _html(comparison: Comparison, pictures: list[Picture]) -> str:
    return render(
        "recvae.experiments.report",
        "report.html",
        comparison=comparison,
        pictures=pictures,
        data_url=data_url,
        options={name: options.values(model) for name, model in comparison.models.items()},
        # The first line of each metric's own documentation.
        definitions={
            metric: str(METRICS[Metric.parse(metric).kind].__doc__).splitlines()[0]
            for metric in comparison.metrics
        },
    )
