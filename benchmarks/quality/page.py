"""The results as a page of Markdown and as JSON."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from benchmarks.quality.spec import Entry, Published, Spec
from recvae.evaluation.evaluate import with_stderr
from recvae.experiments.comparison import Comparison

FACTS = ("headline", "models", "differences", "options", "skipped", "setting")
"""What of a comparison the JSON has; the rest is in its report."""


@dataclass(frozen=True)
class Result:
    """A comparison on one data set by one protocol; its picture's address on the page."""

    set: str
    protocol: str
    comparison: Comparison
    picture: str


def markdown(spec: Spec, command: str, results: list[Result], missing: Mapping[str, str]) -> str:
    """The page."""
    parts = [f"# {spec.title}", spec.text.strip(), f"```sh\n{command}\n```"]
    for name, data_set in spec.sets.items():
        parts.append(f"## {data_set.title}")
        if name in missing:
            parts.append(f"Left out: {missing[name]}")
        for result in results:
            if result.set == name:
                parts += _section(spec, result)
    return "\n\n".join([*parts, "## Models", _models(spec)]) + "\n"


def facts(spec: Spec, results: list[Result]) -> dict[str, Any]:
    """The same as what JSON can say, by set and protocol."""
    return {
        name: {
            result.protocol: {fact: result.comparison.to_dict()[fact] for fact in FACTS}
            | {"published": [line.model_dump() for line in _published(spec, result)]}
            for result in results
            if result.set == name
        }
        for name in spec.sets
    }


def _section(spec: Spec, result: Result) -> list[str]:
    comparison, setting = result.comparison, result.comparison.setting
    return [
        f"### {spec.protocols[result.protocol].title}",
        f"{setting['training users']:,} training users, {setting['items']:,} items, "
        f"{comparison.n_users:,} test users, {setting['splits']} "
        f"split{'s' if setting['splits'] > 1 else ''}. {comparison.to_dict()['headline']}",
        _markdown_table(_lines(comparison) + _published_lines(spec, result), align="---:"),
        *(f"`{name}` is left out: {reason}" for name, reason in comparison.skipped.items()),
        f"![{comparison.metrics[-1]} against seconds of training]({result.picture})",
    ]


def _lines(comparison: Comparison) -> list[dict[str, str]]:
    return [_line(comparison, str(name), line) for name, line in comparison.table.iterrows()]


def _line(comparison: Comparison, name: str, numbers: pd.Series) -> dict[str, str]:
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
    if name == comparison.best:
        return "the best"
    row = comparison.differences.loc[comparison.metrics[-1]].loc[name]
    return f"{row['difference']:+.4f} [{row['low']:+.4f}, {row['high']:+.4f}]"


def _published(spec: Spec, result: Result) -> list[Published]:
    return [line for line in spec.published if line.set == result.set]


def _published_lines(spec: Spec, result: Result) -> list[dict[str, str]]:
    return [
        {"model": f"{line.model}, published ({line.source})"}
        | {metric: f"{value:.4g}" for metric, value in line.metrics.items()}
        for line in _published(spec, result)
    ]


def _models(spec: Spec) -> str:
    return _markdown_table(
        [
            {
                "model": f"`{entry.name}`",
                "options": _options(entry),
                "chosen": entry.source,
                "sets": "all" if entry.sets is None else ", ".join(entry.sets),
            }
            for entry in spec.models
        ],
        align="---",
    )


def _options(entry: Entry) -> str:
    parts = [_written(entry.options)] if entry.options else []
    return "; ".join(
        parts + [f"{name}: {_written(options)}" for name, options in entry.by_set.items()]
    )


def _written(options: dict[str, Any]) -> str:
    return ", ".join(f"`{key}={value}`" for key, value in options.items())


def _markdown_table(lines: list[dict[str, str]], align: str) -> str:
    """A table without the columns that are empty; `align` is for all but the first."""
    names = dict.fromkeys(name for line in lines for name in line)
    columns = [name for name in names if any(line.get(name) for line in lines)]
    rows = [[line.get(name, "") for name in columns] for line in lines]
    rows = [columns, ["---", *[align] * (len(columns) - 1)], *rows]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)
