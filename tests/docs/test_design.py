"""docs/design.md as a test: arrows go down only, between rooms and inside each, and none is hidden.

Every import counts: those inside of functions, those for types only, and those of the stubs that
say what a package gives when it is asked.
"""

import ast
import re
from collections.abc import Iterable, Iterator
from functools import cache
from graphlib import TopologicalSorter
from itertools import combinations
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "recvae"
DESIGN = (ROOT / "docs" / "design.md").read_text(encoding="utf-8")
OUTSIDE = ("scripts", "benchmarks")
MOST_BOXES = 22
FEW = 4
"""So many files are read in any order."""


@cache
def nodes(file: Path) -> list[ast.AST]:
    """All that a file says."""
    return list(ast.walk(ast.parse(file.read_text(encoding="utf-8"))))


def imports(file: Path) -> Iterator[str]:
    """All that a file imports, wherever in it, by full names."""
    package = list(file.relative_to(ROOT).parent.parts)
    for node in nodes(file):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        if isinstance(node, ast.ImportFrom):
            start = package[: len(package) - node.level + 1] if node.level else []
            module = ".".join([*start, *([node.module] if node.module else [])])
            yield from (f"{module}.{name.name}" for name in node.names)


def sources(place: Path) -> list[Path]:
    """The Python files and stubs of a folder and those in it, or a file alone."""
    found = [place] if place.is_file() else sorted(place.rglob("*"))
    return [path for path in found if path.suffix in {".py", ".pyi"}]


def parts(folder: Path) -> list[Path]:
    """The files and folders of code in a folder, but for what the folder as a whole is."""
    return [
        path
        for path in sorted(folder.iterdir())
        if (path.suffix == ".py" and path.name != "__init__.py")
        or (path.is_dir() and any(path.rglob("*.py")))
    ]


def name_of(path: Path) -> str:
    return path.name + "/" * path.is_dir()


def arrows(boxes: Iterable[Path]) -> dict[str, set[str]]:
    """For each file or folder, which of the others it imports from."""
    modules = {".".join(box.relative_to(ROOT).with_suffix("").parts): name_of(box) for box in boxes}
    return {
        name_of(box): {
            modules[found]
            for file in sources(box)
            for name in imports(file)
            if (found := longest_start(name, modules)) and modules[found] != name_of(box)
        }
        for box in boxes
    }


def longest_start(name: str, modules: Iterable[str]) -> str | None:
    """The module that a name is of."""
    starts = [module for module in modules if f"{name}.".startswith(f"{module}.")]
    return max(starts, key=len, default=None)


def rows(heading: str) -> list[list[str]]:
    """The cells of each row of the table under a heading, the first in backticks."""
    section = re.search(rf"^## {heading}.*?(?=^## )", DESIGN, re.MULTILINE | re.DOTALL)
    assert section
    lines = [line for line in section[0].splitlines() if line.startswith("| `")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def quoted(cell: str) -> list[str]:
    return re.findall(r"`([\w/.]+)`", cell)


def test_no_two_files_know_each_other():
    """`TopologicalSorter` raises CycleError if there is a way from a file back to itself."""
    files = [path for path in sources(PACKAGE) if path.suffix == ".py"]
    modules = {}
    for path in files:
        dotted = ".".join(path.relative_to(ROOT).with_suffix("").parts)
        if path.name != "__init__.py":
            modules[dotted] = path
    graph = {
        path: {
            modules[found]
            for name in imports(path)
            if (found := longest_start(name, modules)) and modules[found] != path
        }
        for path in modules.values()
    }
    assert len(list(TopologicalSorter(graph).static_order())) == len(modules)


ROOMS = [(name, row[-1]) for row in rows("The rooms") for name in quoted(row[0])]
INSIDE = [name for name, _ in ROOMS if name.removesuffix("/") not in OUTSIDE]


def test_every_file_has_its_room():
    assert {name_of(path) for path in parts(PACKAGE)} == set(INSIDE)


def test_a_room_knows_those_above_it():
    known = arrows(parts(PACKAGE))
    below = [
        f"{upper} knows {lower}"
        for upper, lower in combinations(INSIDE, 2)
        if lower in known[upper]
    ]
    assert not below


def test_the_house_is_as_small_as_it_says():
    boxes = [*parts(PACKAGE), *(ROOT / name for name in OUTSIDE)]
    n_arrows = sum(map(len, arrows(boxes).values()))
    assert len(boxes) <= MOST_BOXES
    assert f"{len(boxes)} boxes, {n_arrows} arrows" in DESIGN


def test_only_what_is_below_all_rooms_uses_the_public_names():
    """The others read no more than the version and the place of the package."""
    users = {
        path.relative_to(PACKAGE).parts[0]
        for path in sources(PACKAGE)
        if path.name != "__init__.pyi"
        for node in nodes(path)
        if isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Name)
        and node.value.id in {"recvae", "rv"}
        and node.attr not in {"__version__", "__file__"}
    }
    assert users <= {"cli"}


ORDERS = {quoted(row[0])[0]: row[1] for row in rows("The order inside a room")}


def test_every_folder_of_more_than_a_few_files_has_an_order():
    folders = [path for path in PACKAGE.rglob("*") if path.is_dir() and len(parts(path)) > FEW]
    assert {f"{path.relative_to(PACKAGE)}/" for path in folders} == set(ORDERS)


@pytest.mark.parametrize("folder", ORDERS)
def test_a_file_knows_those_of_earlier_steps(folder):
    steps = [quoted(step) for step in ORDERS[folder].split("→")]
    known = arrows(parts(PACKAGE / folder))
    assert {name for step in steps for name in step} == set(known)
    below = [
        f"{name} knows {other}"
        for number, step in enumerate(steps)
        for name in step
        for other in known[name]
        if other not in [earlier for earlier_step in steps[:number] for earlier in earlier_step]
    ]
    assert not below


@pytest.mark.parametrize(
    ("room", "package"),
    [
        (room, package)
        for room, may_not in ROOMS
        for package in re.findall(r"import (\w+)", may_not)
    ],
)
def test_a_room_leaves_a_package_alone(room, package):
    names = [name for file in sources(PACKAGE / room) for name in imports(file)]
    assert not [name for name in names if name.split(".")[0] == package]
