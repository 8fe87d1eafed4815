"""The leaderboards: each recipe as its reader runs it, on tiny files of its format."""

import json
import re
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import recvae as rv
from benchmarks.quality import leaderboards
from benchmarks.quality.leaderboards import RECIPES, Board

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
PUBLISHED = ("amazon-book", "gowalla", "yelp2018")
NAMES = sorted(path.stem for path in RECIPES.glob("*.toml"))


def likes(n_users: int = 60, n_items: int = 30) -> pd.DataFrame:
    """Even users like even items, odd users odd ones."""
    users, items = np.nonzero(np.random.default_rng(0).random((n_users, n_items)) < 0.7)
    table = pd.DataFrame({"who": users + 1, "what": items + 1})
    return table[users % 2 == items % 2]


def write_published(name: str, folder: Path, table: pd.DataFrame) -> None:
    (folder / name).mkdir()
    is_test = table.sample(frac=1, random_state=0).groupby("who").cumcount().sort_index() < 2
    for file, part in {"train": table[~is_test], "test": table[is_test]}.items():
        histories = part.astype(str).groupby("who")["what"].agg(" ".join)
        lines = "".join(f"{user} {items}\n" for user, items in histories.items())
        (folder / name / f"{file}.txt").write_text(lines)


def write_ml_20m(folder: Path, table: pd.DataFrame) -> None:
    release = folder / "ml-20m"
    release.mkdir()
    ratings = table.rename(columns={"who": "userId", "what": "movieId"})
    ratings.assign(rating=4.5, timestamp=1).to_csv(release / "ratings.csv", index=False)
    movies = pd.DataFrame({"movieId": range(1, 31), "title": "Film (1999)", "genres": "Drama"})
    movies.to_csv(release / "movies.csv", index=False)


def write_netflix(folder: Path, table: pd.DataFrame) -> None:
    (folder / "netflix").mkdir()
    sections = [
        f"{movie}:\n" + "".join(f"{user},5,2005-09-06\n" for user in viewers)
        for movie, viewers in table.groupby("what")["who"]
    ]
    half = len(sections) // 2
    for number, part in enumerate((sections[:half], sections[half:]), start=1):
        (folder / "netflix" / f"combined_data_{number}.txt").write_text("".join(part))


def write_msd(folder: Path, table: pd.DataFrame) -> None:
    lines = [f"u{user}\tSO{song}\t3\n" for user, song in table.to_numpy()]
    (folder / "train_triplets.txt").write_text("".join(lines))


WRITERS: dict[str, Callable[[Path, pd.DataFrame], None]] = {
    **{name: partial(write_published, name) for name in PUBLISHED},
    "ml-20m": write_ml_20m,
    "msd": write_msd,
    "netflix": write_netflix,
}


def tables(page: str) -> list[list[list[str]]]:
    """The cells of each table, without heads."""
    found = re.findall(r"(?:^\|.*\n)+", page, re.MULTILINE)
    return [
        [[cell.strip() for cell in line[1:-1].split("|")] for line in table.splitlines()[2:]]
        for table in found
    ]


@pytest.fixture
def run(tmp_path, monkeypatch) -> Callable[..., str]:
    """Run the command on recipes with users and filters of a tiny size; give the page."""
    (tmp_path / "data").mkdir()
    (tmp_path / "docs").mkdir()
    for path in RECIPES.glob("*.toml"):
        text = re.sub(r"(n_validation|n_test) = \d+", r"\1 = 12", path.read_text())
        text = re.sub(r"(min_user_items|min_item_users) = \d+", r"\1 = 3", text)
        (tmp_path / path.name).write_text(text)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("RECVAE_DATA", "data")
    monkeypatch.setenv("RECVAE_CACHE", "cache")
    monkeypatch.setattr(leaderboards, "RECIPES", tmp_path)

    def run(*arguments: str) -> str:
        monkeypatch.setattr(sys, "argv", ["leaderboards", *arguments])
        leaderboards.main()
        return (tmp_path / "docs" / "leaderboards.md").read_text()

    return run


@pytest.mark.parametrize("name", NAMES)
def test_every_recipe_runs_on_files_of_its_format(name, run, tmp_path):
    WRITERS[name](tmp_path / "data", likes())
    page = run(name, "--models", "popularity")
    path = tmp_path / "benchmarks" / "figures" / "leaderboards" / f"{name}.json"
    (line,) = json.loads(path.read_text()).values()
    sizes = [line["setting"][size] for size in ("training users", "test users", "items")]
    assert sizes == ([60, 60, 30] if name in PUBLISHED else [36, 12, 30])
    assert page.count("**`popularity`**") == page.count("\nMeasured on ") == 1
    assert page.count("Ours are not measured yet.") == len(NAMES) - 1


def test_ours_stand_among_theirs_by_their_figures(run, tmp_path):
    write_published("gowalla", tmp_path / "data", likes())
    run("gowalla", "--models", "item-knn")
    page = run("gowalla", "--models", "popularity")  # a line is added, none is lost
    table = tables(page)[NAMES.index("gowalla")]
    split = rv.read_split(tmp_path / "data" / "gowalla")
    report = rv.evaluate(rv.ItemKNN().fit(split.final), split.test, ["full-recall@20", "ndcg@20"])
    mean, stderr = report.mean["full-recall@20"], report.stderr["full-recall@20"]
    (ours,) = (row for row in table if row[0] == "**`item-knn`**")
    assert ours[1] == f"**{mean:.4f} ± {stderr:.4f}**"
    assert ours[3] == "defaults"
    values = [float(re.findall(r"[\d.]+", row[1])[0]) for row in table]
    assert values == sorted(values, reverse=True)
    assert len(table) == len(Board.of("gowalla").published) + 2
    assert run() == page


def test_data_that_are_not_here(run):
    with pytest.raises(SystemExit, match=r"gowalla: there is no .*train\.txt"):
        run("gowalla")
    with pytest.raises(SystemExit):
        run("gowala")


@pytest.mark.parametrize("name", NAMES)
def test_a_recipe_names_what_there_is(name):
    board = Board.of(name)
    assert [*board.sets] == [name]
    assert len(board.protocols) == 1
    for entry in board.models:
        assert entry.build(name).name == entry.model
    for line in board.published:
        assert {*line.metrics} <= {*board.metrics}
        assert all(0 < value < 1 for value in line.metrics.values())


def test_the_recipes_follow_the_paper():
    numbers = {}
    for name in {*NAMES} - {*PUBLISHED}:
        board = Board.of(name)
        options, users = board.sets[name].options, board.protocols["users"].options
        least = options.get("min_rating"), options["min_user_items"], options.get("min_item_users")
        numbers[name] = (*least, users["n_validation"], users["n_test"])
    assert numbers == {
        "ml-20m": (4, 5, None, 10_000, 10_000),
        "netflix": (4, 5, None, 40_000, 40_000),
        "msd": (None, 20, 200, 50_000, 50_000),
    }


def test_the_page_is_of_the_recipes_and_the_figures():
    page = leaderboards.markdown(NAMES, ROOT / "benchmarks" / "figures" / "leaderboards")
    assert (ROOT / "docs" / "leaderboards.md").read_text(encoding="utf-8") == page
