"""The results as a page of Markdown and as JSON."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from benchmarks.common import write_json
from benchmarks.quality.spec import Entry, Spec
from recvae.evaluation.evaluate import with_stderr
from recvae.experiments.comparison import Comparison

FACTS = ("headline", "models", "differences", "options", "skipped", "setting")
"""What of a comparison the JSON has; the rest is in its report."""


METRIC = "ndcg@100"
COLD = """
By `python -m benchmarks.quality.cold_items --test`: a tenth of the items is hidden from training.
NDCG@20 of these cold items among themselves, and its difference to content neighbours, paired by
users, with a 95% interval; NDCG@100 of the known items, and of all in one list, with its
difference to lists of known items only; the share of cold items in the first 20. [Cold
items](cold-items.md) says what was learnt from.
""".strip()
NEXT = """
By `python -m benchmarks.quality.order`: the last item of each user is to be ranked ("last"), or
all that is liked after a date ("time"), by models with their defaults. Differences are paired by
users, with 95% bootstrap intervals.
[Experiments](experiments.md#what-is-recent-and-what-comes-next) has how options were chosen.
""".strip()


@dataclass(frozen=True)
class Result:
    """A comparison on one data set by one protocol; its picture's address on the page."""

    set: str
    protocol: str
    comparison: Comparison
    picture: str


@dataclass(frozen=True)
class Page:
    """What was asked for and what came; `missing` says why a data set is left out."""

    spec: Spec
    command: str
    results: list[Result] = field(default_factory=list)
    missing: dict[str, str] = field(default_factory=dict)

    def write(self, page: Path, figures: Path) -> None:
        """Write both; the page also shows what other benchmarks keep beside the figures."""
        page.write_text(self.markdown(figures.parent), encoding="utf-8")
        write_json(figures, self.facts())

    def markdown(self, kept: Path) -> str:
        """The page."""
        spec = self.spec
        parts = [f"# {spec.title}", spec.text.strip(), f"```sh\n{self.command}\n```"]
        for name, data_set in spec.sets.items():
            parts.append(f"## {data_set.title}")
            if name in self.missing:
                parts.append(f"Left out: {self.missing[name]}")
            for result in self.results:
                if result.set == name:
                    parts += _section(spec, result)
        parts += [*cold_items(kept), *next_items(kept)]
        return "\n\n".join([*parts, "## Models", _models(spec)]) + "\n"

    def facts(self) -> dict[str, Any]:
        """The same as what JSON can say, by set and protocol."""
        found: dict[str, Any] = {name: {} for name in self.spec.sets}
        for result in self.results:
            known = result.comparison.to_dict()
            found[result.set][result.protocol] = {fact: known[fact] for fact in FACTS}
        return found


def cold_items(figures: Path) -> list[str]:
    """What `benchmarks.quality.cold_items` measured on the test users."""
    paths = sorted((figures / "cold-items").glob("*-test.json"))
    parts = ["## Items that nobody has", COLD] if paths else []
    for path in paths:
        lines = json.loads(path.read_text(encoding="utf-8"))["models"]
        cells = [{name: str(value) for name, value in line.items()} for line in lines]
        parts += [f"### {path.stem.removesuffix('-test')}", markdown_table(cells, align="---:")]
    return parts


def next_items(figures: Path) -> list[str]:
    """What `benchmarks.quality.order` measured on the test users."""
    if not (path := figures / "order.json").exists():
        return []
    parts = ["## What comes next", NEXT]
    for name, found in json.loads(path.read_text(encoding="utf-8")).items():
        over = {one["model"]: one for one in found["differences"] if one["metric"] == METRIC}
        lines = [
            {
                "model": f"`{line['model']}`",
                METRIC: with_stderr(line[METRIC], line[f"{METRIC}_stderr"]),
                "minus the best [95% interval]": _interval(over.get(line["model"])),
            }
            for line in found["models"]
        ]
        parts += [f"### {name}", markdown_table(lines, align="---:")]
    return parts


def _section(spec: Spec, result: Result) -> list[str]:
    """What was measured on a data set by a protocol."""
    comparison, setting = result.comparison, result.comparison.setting
    return [
        f"### {spec.protocols[result.protocol].title}",
        f"{setting['training users']:,} training users, {setting['items']:,} items, "
        f"{comparison.n_users:,} test users, {setting['splits']} "
        f"split{'s' if setting['splits'] > 1 else ''}. {comparison.to_dict()['headline']}",
        markdown_table(_lines(comparison), align="---:"),
        *(f"`{name}` is left out: {reason}" for name, reason in comparison.skipped.items()),
        f"![{comparison.metrics[-1]} against seconds of training]({result.picture})",
    ]


def _lines(comparison: Comparison) -> list[dict[str, str]]:
    """A line for each model."""
    return [_line(comparison, str(name), line) for name, line in comparison.table.iterrows()]


def _line(comparison: Comparison, name: str, numbers: pd.Series) -> dict[str, str]:
    """The cells of a model; * marks the best, and what is not significantly worse."""
    primary = comparison.metrics[-1]
    line = {"model": f"`{name}`"}
    for metric in (primary, *comparison.metrics[:-1]):
        mark = " *" if comparison.top.loc[name, metric] else ""
        line[metric] = with_stderr(numbers[metric], numbers[f"{metric}_stderr"]) + mark
    line[f"{primary} minus the best [95% interval]"] = _difference(comparison, name)
    spread = numbers.get(f"{primary}_seed_std")
    line["std over seeds"] = "" if spread is None or pd.isna(spread) else f"{spread:.4f}"
    line["training"] = f"{numbers['training_seconds']:,.1f} s"
    line["size"] = f"{numbers['megabytes']:,.1f} MB"
    return line


def _difference(comparison: Comparison, name: str) -> str:
    """The paired difference to the best model, with its interval."""
    if name == comparison.best:
        return "the best"
    row: Any = comparison.differences.loc[comparison.metrics[-1]].loc[name]
    return _interval(row)


def _interval(row: Mapping[str, float] | None) -> str:
    """A paired difference to the best model, with its interval; None is the best itself."""
    if row is None:
        return "the best"
    return f"{row['difference']:+.4f} [{row['low']:+.4f}, {row['high']:+.4f}]"


def _models(spec: Spec) -> str:
    """The table of what the models are."""
    return markdown_table(
        [
            {
                "model": f"`{entry.model}`",
                "options": _options(entry),
                "chosen": entry.source,
            }
            for entry in spec.models
        ],
        align="---",
    )


def _options(entry: Entry) -> str:
    """Options for all sets, then those of single sets."""
    parts = [_written(entry.options)] if entry.options else []
    return "; ".join(
        parts + [f"{name}: {_written(options)}" for name, options in entry.by_set.items()]
    )


def _written(options: dict[str, Any]) -> str:
    """Options as they are typed."""
    return ", ".join(f"`{key}={value}`" for key, value in options.items())


def markdown_table(lines: list[dict[str, str]], align: str) -> str:
    """A table without the columns that are empty; `align` is for all but the first."""
    names = dict.fromkeys(name for line in lines for name in line)
    columns = [name for name in names if any(line.get(name) for line in lines)]
    rows = [[line.get(name, "") for name in columns] for line in lines]
    rows = [columns, ["---", *[align] * (len(columns) - 1)], *rows]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)
