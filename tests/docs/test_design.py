"""docs/design.md as a test: a room imports from those above it in the table, never from below."""

import ast
import re
from collections.abc import Iterator
from itertools import combinations
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "recvae"
ABOVE_ALL = {"__init__.py", "__main__.py"}


def rows(heading: str) -> list[tuple[list[str], str]]:
    """The files or folders of each row of the table under a heading, and what they may not."""
    text = (ROOT / "docs" / "design.md").read_text(encoding="utf-8")
    section = re.search(rf"^## {heading}.*?(?=^## )", text, re.MULTILINE | re.DOTALL)
    assert section
    lines = [line.split("|") for line in section[0].splitlines() if line.startswith("| `")]
    return [(re.findall(r"`([\w/]+(?:\.py)?)`", first), last) for _, first, _, last, _ in lines]


def imports(file: Path) -> Iterator[str]:
    """Modules that a file imports when it runs, by their full names."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    for_types = {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test)
        for inner in ast.walk(node)
    }
    for node in ast.walk(tree):
        if id(node) in for_types:
            continue
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        if isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{name.name}" for name in node.names)


def files(room: str) -> list[Path]:
    path = PACKAGE / room.removesuffix("/")
    return sorted(path.rglob("*.py")) if path.is_dir() else [path]


def imported_from(room: str, other: str) -> list[str]:
    """What the files of a room import from another."""
    module = "recvae." + other.removesuffix("/").removesuffix(".py").replace("/", ".")
    return [
        f"{file.relative_to(ROOT)}: {name}"
        for file in files(room)
        for name in imports(file)
        if name == module or name.startswith(f"{module}.")
    ]


ROOMS = [
    (room, forbidden)
    for names, forbidden in rows("The rooms")
    for room in names
    if room.removesuffix("/") not in {"scripts", "benchmarks"}
]
STEPS = [[f"engine/{file}" for file in names] for names, _ in rows("The engine")]


def test_every_file_has_its_room():
    there = {path.name for path in PACKAGE.iterdir() if path.suffix == ".py" or path.is_dir()}
    known = {room.removesuffix("/") for room, _ in ROOMS}
    assert there - ABOVE_ALL - {"__pycache__"} == known
    steps = {file.removeprefix("engine/") for row in STEPS for file in row}
    assert {file.name for file in files("engine")} - ABOVE_ALL == steps


def test_a_room_knows_those_above_it():
    below = [
        found
        for (upper, _), (lower, _) in combinations(ROOMS, 2)
        for found in imported_from(upper, lower)
    ]
    assert not below


def test_the_engine_is_read_in_its_order():
    below = [
        found
        for upper, lower in combinations(STEPS, 2)
        for file in upper
        for other in lower
        for found in imported_from(file, other)
    ]
    assert not below


@pytest.mark.parametrize(
    ("room", "package"),
    [
        (room, package)
        for room, forbidden in ROOMS
        for package in re.findall(r"import (\w+)", forbidden)
        if package != "models"
    ],
)
def test_a_room_leaves_a_package_alone(room, package):
    assert not [name for file in files(room) for name in imports(file) if name.startswith(package)]
