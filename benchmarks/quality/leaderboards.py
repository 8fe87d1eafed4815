"""Measure on splits that others publish on, and write the page of their figures and ours.

    python -m benchmarks.quality.leaderboards            # docs/leaderboards.md, nothing measured
    python -m benchmarks.quality.leaderboards gowalla    # as benchmarks/quality/recipes/ says
    python -m benchmarks.quality.leaderboards gowalla --models als,ensemble

What is measured is added to benchmarks/figures/leaderboards/. Each fit is kept under build/results/
too. Whoever measures again after a change of options has chosen them by the test users.
"""

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self

from benchmarks.common import FIGURES, one_of, options, write_json
from benchmarks.quality.page import markdown_table
from benchmarks.quality.results import compare
from benchmarks.quality.spec import Spec, Strict
from recvae.errors import RecvaeError
from recvae.evaluation.evaluate import with_stderr

RECIPES = Path(__file__).parent / "recipes"
INTRODUCTION = """# Leaderboards

The figures of others on the splits that they published on, and **ours**, from the command beside
them. Each of our models was judged by the test users once; ± is the standard error over them. †:
the code behind it measures on the test pairs alone, so options or epochs were chosen on them;
others may have done so too. `from` says where a line is from, and for ours how the options were
chosen. BARS: a rerun by Zhu et al. (SIGIR 2022), in [their
leaderboards](https://openbenchmark.github.io/BARS/Matching/leaderboard/index.html).
[Evaluation protocols](protocols.md#as-published) has what to do with a split of your own."""

Figures = dict[str, Any]


class Published(Strict):
    """What others have reported; `on_test` if they are known to have chosen by the test pairs."""

    model: str
    source: str
    metrics: dict[str, float]
    on_test: bool = False


class Board(Spec):
    """A recipe: one set, one protocol, and what others have reported for it."""

    published: list[Published]

    @classmethod
    def of(cls, name: str) -> Self:
        """Read the recipe of a name."""
        return cls.read(RECIPES / f"{name}.toml")


def main() -> None:
    """Measure on the splits that are named; then write the page."""
    known = sorted(path.stem for path in RECIPES.glob("*.toml"))
    parser = options(__doc__)
    parser.add_argument(
        "names", nargs="*", metavar="NAME", type=one_of(known), help=", ".join(known)
    )
    parser.add_argument("--out", type=Path, help=f"folder to write to, else docs and {FIGURES}")
    parser.add_argument("--keep", type=Path, default=Path("build/results"), help="kept fits")
    parser.add_argument("--models", help="only these, separated by commas")
    args = parser.parse_args()
    figures = (args.out or FIGURES) / "leaderboards"
    for name in args.names:
        path = figures / f"{name}.json"
        try:
            found = measure(Board.of(name).only(None, args.models), args.keep)
        except RecvaeError as error:
            sys.exit(f"{name}: {error}")
        write_json(path, read(path) | found)
    page = args.out or Path("docs")
    (page / "leaderboards.md").write_text(markdown(known, figures), encoding="utf-8")


def markdown(names: Sequence[str], figures: Path) -> str:
    """The page, with the figures that the folder has."""
    parts = [section(name, read(figures / f"{name}.json")) for name in names]
    return "\n\n".join([INTRODUCTION, *parts]) + "\n"


def read(path: Path) -> Figures:
    """What was measured before, by model."""
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}


def measure(board: Board, keep: Path) -> Figures:
    """Each model's line of the comparison, and what it was measured on."""
    ((name, data_set),), (protocol,) = board.sets.items(), board.protocols
    comparison = compare(board, name, protocol, data_set.read(), keep)
    print(comparison)
    lines = json.loads(comparison.table.to_json(orient="index"))
    return {model: line | {"setting": dict(comparison.setting)} for model, line in lines.items()}


def section(name: str, measured: Figures) -> str:
    """A split and the table of all figures for it, best first by the last metric."""
    board = Board.of(name)
    *others, first = board.metrics
    chosen = {entry.model: entry.source for entry in board.models}
    lines = [(line.metrics[first], _theirs(line)) for line in board.published]
    for model, line in measured.items():
        lines.append((line[first], _ours(model, line, board.metrics, chosen.get(model, ""))))
    columns = dict.fromkeys(("model", first, *others), "")
    best_first = sorted(lines, key=lambda pair: pair[0], reverse=True)
    settings = (line["setting"] for line in measured.values())
    places = {f"Measured on {setting['processor']}, {setting['packages']}." for setting in settings}
    return "\n\n".join(
        [
            f"## {board.title}",
            board.text.strip(),
            f"```sh\npython -m benchmarks.quality.leaderboards {name}\n```",
            markdown_table([columns | cells for _, cells in best_first], align="---"),
            *(sorted(places) or ["Ours are not measured yet."]),
        ]
    )


def _theirs(line: Published) -> dict[str, str]:
    """The cells of a published line, with three decimals or four."""
    values = {name: f"{value:.4f}".removesuffix("0") for name, value in line.metrics.items()}
    return {"model": line.model + " †" * line.on_test, **values, "from": line.source}


def _ours(model: str, line: Figures, metrics: list[str], chosen: str) -> dict[str, str]:
    """The cells of a measured line."""
    values = {name: f"**{with_stderr(line[name], line[f'{name}_stderr'])}**" for name in metrics}
    training = f"{line['training_seconds']:,.0f} s"
    return {"model": f"**`{model}`**", **values, "from": chosen, "training": training}


if __name__ == "__main__":
    main()
