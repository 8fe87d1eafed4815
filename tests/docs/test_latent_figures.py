"""The figures on the pages of the latent tools are those that were measured."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
DOCS, FIGURES = ROOT / "docs" / "latent", ROOT / "benchmarks" / "figures" / "latent"
PARTS = sorted(path.stem for path in FIGURES.glob("*.json"))
FORMS = (".3f", ".4f", ".1%", ".2%")
FIGURE = re.compile(r"-?\d+\.\d+%? ± \d+\.\d+%?")


def means(found: Any) -> Iterator[tuple[float, float]]:
    """Every mean that was measured, with its standard error."""
    if isinstance(found, dict) and "stderr" in found:
        yield found["mean"], found["stderr"]
    elif isinstance(found, dict | list):
        for value in found.values() if isinstance(found, dict) else found:
            yield from means(value)


@pytest.mark.parametrize("part", PARTS)
def test_the_figures_are_those_measured(part):
    measured = list(means(json.loads((FIGURES / f"{part}.json").read_text("utf-8"))))
    written = {f"{m:{form}} ± {e:{form}}" for m, e in measured for form in FORMS}
    figures = FIGURE.findall((DOCS / f"{part.replace('_', '-')}.md").read_text("utf-8"))
    assert figures
    assert [figure for figure in figures if figure not in written] == []
