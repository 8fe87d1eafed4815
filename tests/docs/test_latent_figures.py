"""The figures on the pages of the latent tools are those that were measured, each in its place."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from functools import reduce
from pathlib import Path
from typing import Any, TypeAlias

import pytest

ROOT = Path(__file__).parents[2]
DOCS, FIGURES = ROOT / "docs" / "latent", ROOT / "benchmarks" / "figures" / "latent"
PARTS = sorted(path.stem for path in FIGURES.glob("*.json"))
FIGURE = re.compile(r"-?\d+\.(\d+)(%?) ± \d+\.\d+%?")

Line: TypeAlias = tuple[str, list[str]]
"""How a line of a table begins, and where in the JSON its figures are, from left to right."""


def lines(names: Mapping[str, str], columns: Iterable[str]) -> list[Line]:
    """Lines of a table, of the same columns: what they show, and what the JSON calls it."""
    return [(shown, [column.format(name) for column in columns]) for shown, name in names.items()]


ATTACKS = ("random", "average", "bandwagon", "segment")
DETECTORS = {
    "`score`": "score",
    "`surprisal`": "surprisal",
    "isolation forest": "isolation forest",
    "nearest neighbours": "nearest neighbours",
    "local outlier factor": "local outlier factor",
    "isolation forest on the codes": "isolation forest, codes",
    "nearest neighbours on the codes": "nearest neighbours, codes",
    "mean -log popularity": "popularity",
}
SETS = {"MovieLens 1M": "ml-1m", "MovieLens 100K": "ml-100k"}
MODELS = {f"`{name}`": name for name in ("mult-vae", "mult-dae", "residual-vae", "ease", "als")}
CORRUPTED = [
    f"{kind}/{{}}/{share}" for kind in ("dropped", "random", "popular") for share in (1, 4)
]
DENOISED = ("found/{0}/{1}", "found/{0}/popularity", "denoised/{0}/{1}/1", "denoised/{0}/{1}/4")
SYNTHETIC = {
    f"`{way}`, {times} ×": f"{way}, {times} x"
    for way, often in {"mixture": (1, 2, 5), "posterior": (1, 5), "prior": (1,)}.items()
    for times in often
}

TABLES: dict[str, list[Line]] = {
    "anomaly": [
        line
        for name in SETS.values()
        for line in lines(DETECTORS, [f"{name}/{attack}, 3%/{{}}/auc" for attack in ATTACKS])
    ]
    + [
        (
            f"{shown}, {rate}% fake users",
            [f"{name}/{attack}, {rate}%/score/auc" for attack in ATTACKS],
        )
        for shown, name in SETS.items()
        for rate in (1, 3, 10)
    ],
    "complete": [
        (
            f"{name} | {share}%",
            [
                *(
                    f"{name}/{share}%/{codes}/log loss"
                    for codes in ("mult-vae", "elsa", "svd", "nothing")
                ),
                f"{name}/{share}%/lead over svd",
            ],
        )
        for name in ("gender", "age band", "favourite genre", "genre of items")
        for share in (1, 5, 20, 100)
    ],
    "explain": lines(
        {
            "Mult-VAE, tuned: no hidden layer": "mult-vae",
            "Mult-VAE as Liang et al. have it": "mult-vae-deep",
            "ResidualVAE": "residual-vae",
        },
        ["models/{}/correlation", "models/{}/same_reason"],
    ),
    "features": lines(
        {name: name for name in ("gender", "age band", "favourite genre")},
        ["{}/svd", "{}/mult-vae", "{}/difference"],
    ),
    "generate": [
        ("real, held out", ["real/ndcg"]),
        *lines(SYNTHETIC, ["synthetic/{}/ndcg", "synthetic/{}/share of real"]),
    ],
    "interpolate": lines(
        {
            "fraction of the 20 best items that the next list keeps": "kept",
            "the same at the greatest step of each pair": "least kept",
            "fraction of the middle list that is in neither end's": "new in the middle",
            "NDCG@100 of the middle list, mean of what both users held out": (
                "ndcg of both in the middle"
            ),
        },
        ["ways/codes/{}", "ways/scores/{}"],
    ),
    "map": lines(
        {
            name: name
            for name in (
                "codes of the items",
                "weights of the decoder",
                "co-occurrence",
                "co-occurrence, SVD of rank 50",
                "co-occurrence, SVD of rank 200",
                "noise",
            )
        },
        ["{}/all items", "{}/of 20 users or more"],
    ),
    "robustness": [
        *lines(MODELS, ["clean/{}", *CORRUPTED]),
        *[
            (f"{kind} | `{name}`", [place.format(kind, name) for place in DENOISED])
            for kind in ("random", "popular")
            for name in ("mult-vae", "residual-vae")
        ],
        *[
            (f"`{name}` | {form}", [f"compressed/{name}/{form}/kept"])
            for name in ("mult-vae", "mult-dae")
            for form in ("float32", "float16", "int8")
        ],
    ],
    "sparse_codes": [
        ("NDCG@100 kept", [f"curve/{n}" for n in (2, 4, 8, 16, 32, 64)]),
        ("Mult-VAE, tuned: 200 | `codes`", ["curve/32"]),
        ("Mult-VAE of Liang et al.: 600-200-600 | `codes`", ["other models/mult-vae-deep"]),
        ("ResidualVAE | `codes`", ["other models/residual-vae"]),
        ("Mult-VAE, tuned: 200 | `scores`", ["trained for scores"]),
        (
            "fraction of its genre in the top 20",
            ["steer/share before", *(f"steer/share/{n}" for n in range(5))],
        ),
        ("of the top 20 as before", [f"steer/overlap/{n}" for n in range(5)]),
    ],
    "uncertainty": [
        ("entropy and length of the history", ["summary/entropy, length"]),
        ("entropy and NDCG@100", ["summary/entropy, ndcg@100"]),
        ("length and NDCG@100", ["summary/length, ndcg@100"]),
        (
            "area under the curve",
            [f"summary/area by {order}" for order in ("entropy", "length", "best")],
        ),
    ],
}


def measured(part: str) -> Any:
    return json.loads((FIGURES / f"{part}.json").read_text("utf-8"))


def page(part: str) -> str:
    return (DOCS / f"{part.replace('_', '-')}.md").read_text("utf-8")


def at(found: Any, place: str) -> Any:
    """What lies at a place such as "curve/32"."""
    steps = place.split("/")
    return reduce(
        lambda part, step: part[int(step) if isinstance(part, list) else step], steps, found
    )


def written(found: Mapping[str, float], like: re.Match[str]) -> str:
    """A mean and its standard error with as many digits as a figure has."""
    form = f".{len(like[1])}{like[2] or 'f'}"
    return f"{found['mean']:{form}} ± {found['stderr']:{form}}"


def test_every_page_has_its_tables_here():
    assert sorted(TABLES) == PARTS


@pytest.mark.parametrize("part", TABLES)
def test_each_figure_of_a_table_is_that_of_its_line_and_column(part):
    shown = [line for line in page(part).splitlines() if line[:1] == "|" and FIGURE.search(line)]
    found = measured(part)
    for line, (start, places) in zip(shown, TABLES[part], strict=True):
        assert line.startswith(f"| {start} |")
        figures = list(FIGURE.finditer(line))
        expected = [at(found, place) for place in places]
        assert [figure[0] for figure in figures] == [
            written(one, like) for one, like in zip(expected, figures, strict=True)
        ]


def means(found: Any) -> Iterator[Mapping[str, float]]:
    """Every mean that was measured, with its standard error."""
    if isinstance(found, dict) and "stderr" in found:
        yield found
    elif isinstance(found, dict | list):
        for value in found.values() if isinstance(found, dict) else found:
            yield from means(value)


def test_the_figures_between_the_tables_were_measured_too():
    """On the pages that have any, which are few."""
    between = {
        part: [line for line in page(part).splitlines() if line[:1] != "|"] for part in TABLES
    }
    shown = {part: [*FIGURE.finditer("\n".join(lines))] for part, lines in between.items()}
    assert any(shown.values())
    for part, figures in shown.items():
        every = list(means(measured(part)))
        for figure in figures:
            assert figure[0] in {written(one, figure) for one in every}
