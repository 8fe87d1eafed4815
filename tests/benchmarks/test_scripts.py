"""The scripts, run as a newcomer runs them, on a tiny release of MovieLens' layout."""

import ast
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

SCRIPTS = Path(__file__).parents[2] / "scripts"
RUN = """
import json, runpy, sys
for script, *arguments in json.loads(sys.argv[1]):
    sys.argv = [script, *arguments]
    runpy.run_path(script, run_name="__main__")
    print(end="\\f", flush=True)
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """A working folder with `data/ml-latest-small` in it: 60 users, 30 films."""
    folder = tmp_path_factory.mktemp("work")
    release = folder / "data" / "ml-latest-small"
    release.mkdir(parents=True)
    rng = np.random.default_rng(0)
    users, films = np.nonzero(rng.random((60, 30)) < 0.6)
    ratings = pd.DataFrame({"userId": users + 1, "movieId": films + 1})
    ratings["rating"] = np.where(users % 2 == films % 2, 5.0, 2.5)
    ratings["timestamp"] = 1_000_000_000 + np.arange(len(users))
    ratings.to_csv(release / "ratings.csv", index=False)
    titles = [f"Film, the {n}th (1999)" for n in range(1, 31)]
    films_table = pd.DataFrame({"movieId": range(1, 31), "title": titles, "genres": "Drama"})
    films_table.to_csv(release / "movies.csv", index=False)
    return folder


def run(folder: Path, *scripts: list[str]) -> list[str]:
    """Run scripts with their arguments in the folder, in one process; what each prints."""
    data = ["--data", "ml-latest-small"]
    asked = json.dumps([[str(SCRIPTS / name), *data, *arguments] for name, *arguments in scripts])
    environment = {name: value for name, value in os.environ.items() if name != "RECVAE_DATA"}
    newcomers = {"RECVAE_CACHE": str(folder / "cache"), "MPLCONFIGDIR": str(folder / "fonts")}
    finished = subprocess.run(
        [sys.executable, "-c", RUN, asked],
        cwd=folder,
        env=environment | newcomers,
        capture_output=True,
        text=True,
    )
    assert finished.returncode == 0, finished.stderr
    assert "fontManager" not in finished.stderr  # of which matplotlib makes a list at first
    return finished.stdout.split("\f")[:-1]


@pytest.mark.slow
def test_train_then_recommend(folder):
    recommend = ["recommend_top_k.py", "-k", "5", "--users", "8"]
    trained, shown = run(folder, ["train_movielens.py"], recommend)
    assert "ndcg@100" in trained
    assert "saved to runs/mult-vae" in trained
    assert shown.count("may like") == 8
    assert shown.count("Film, the") >= 8 * 5
    assert "* Film" in shown


@pytest.mark.slow
def test_compare(folder):
    (shown,) = run(folder, ["compare_baselines.py", "--known-users"])
    models = ("mult-vae", "mult-dae", "ease", "als", "bpr", "lmf", "item-knn", "popularity")
    assert all(re.search(rf"^{name} +[01]\.\d+", shown, re.MULTILINE) for name in models)
    assert "left out" not in shown
    assert (folder / "report" / "index.html").is_file()
    assert str(Path("report", "index.html")) in shown
    assert [*(folder / "fonts").glob("fontlist*")]


@pytest.mark.parametrize("script", sorted(SCRIPTS.glob("*.py")), ids=lambda path: path.name)
def test_scripts_use_the_public_api_only(script):
    imports = [
        node for node in ast.walk(ast.parse(script.read_text())) if isinstance(node, ast.ImportFrom)
    ]
    assert not [node.module for node in imports if node.module.startswith("recvae")]
    assert len(script.read_text().splitlines()) < 70
