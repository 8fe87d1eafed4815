"""The page of results, made as its reader makes it, from tiny files."""

import json
import re
import shutil
import sys
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.stats import zscore

import recvae as rv
from benchmarks.quality import results
from benchmarks.quality.blend import Blend
from benchmarks.quality.spec import RESULTS, Spec
from benchmarks.speed import evaluation
from recvae.cli.arguments import parse_settings
from recvae.errors import OptionError

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]

FIGURES = Path("benchmarks/figures")
SPEC = """
title = "Tiny"
text = "Two tables."
seeds = [1, 2]
metrics = ["recall@5", "ndcg@10"]

[sets.plays]
title = "Plays"
read_interactions = "plays.csv"
options = { user = "who", item = "what", min_user_items = 5 }

[sets.gone]
title = "Gone"
read_interactions = "gone.csv"

[protocols.folds]
title = "Folds"
split = "split_folds"
options = { n_folds = 3 }

[protocols.interactions]
title = "Hold-out"
split = "split_interactions"
options = { validation = 0.2, test = 0.2 }

[[models]]
model = "popularity"

[[models]]
model = "ease"
options = { regularization = 20, max_gigabytes = 1 }
by_set = { plays = { regularization = 10 } }
source = "tuned: by hand"

[[models]]
model = "bpr"
options = { factors = 2 }
"""


def likes(n_users: int = 60, n_items: int = 30) -> pd.DataFrame:
    """Even users like even items, odd users odd ones."""
    users, items = np.nonzero(np.random.default_rng(0).random((n_users, n_items)) < 0.7)
    table = pd.DataFrame({"who": users + 1, "what": items + 1})
    return table[users % 2 == items % 2]


def run(folder: Path, spec: Path, *arguments: str) -> None:
    """Run the script in the folder."""
    (folder / "docs").mkdir(exist_ok=True)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setenv("RECVAE_DATA", "data")
        patch.setenv("RECVAE_CACHE", "cache")
        patch.setattr(sys, "argv", ["results", str(spec), *arguments])
        results.main()


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """A working folder with data, the file above, and the page made of it."""
    folder = tmp_path_factory.mktemp("work")
    (folder / "data").mkdir()
    likes().to_csv(folder / "data" / "plays.csv", index=False)
    (folder / "tiny.toml").write_text(SPEC)
    run(folder, folder / "tiny.toml")
    return folder


def cells(page: str) -> list[list[str]]:
    """The cells of all lines of tables."""
    return [
        [cell.strip() for cell in line[1:-1].split("|")]
        for line in page.splitlines()
        if line[:1] == "|"
    ]


def test_the_page_and_the_numbers_are_what_compare_gives(folder):
    page = (folder / "docs" / "tiny.md").read_text()
    facts = json.loads((folder / FIGURES / "tiny.json").read_text())
    plays = folder / "data" / "plays.csv"
    data = rv.read_interactions(plays, user="who", item="what", min_user_items=5)
    models = {"popularity": rv.Popularity(), "ease": rv.EASE(regularization=10)}
    result = rv.compare(
        models, rv.split_folds(data, 3), seeds=(1, 2), metrics=("recall@5", "ndcg@10")
    )
    lines = {line["model"]: line for line in facts["plays"]["folds"]["models"]}
    assert list(lines) == list(result.runs)
    for name, line in lines.items():
        assert line["ndcg@10"] == pytest.approx(result.table.loc[name, "ndcg@10"])
        assert line["megabytes"] == pytest.approx(result.table.loc[name, "megabytes"])
    head, _, best, other = cells(page)[:4]
    assert head[:4] == ["model", "ndcg@10", "recall@5", "ndcg@10 minus the best [95% interval]"]
    assert best[0] == "`ease`"
    assert best[1].startswith(f"{result.table.loc['ease', 'ndcg@10']:.4f} ± ")
    assert best[3] == "the best"
    assert re.fullmatch(r"-0\.\d{4} \[-0\.\d{4}, -0\.\d{4}\]", other[3])


def test_the_page_tells_all_that_was_asked_for(folder):
    page = (folder / "docs" / "tiny.md").read_text()
    assert re.match(
        r"# Tiny\n\nTwo tables.\n\n```sh\npython -m \S+results \S+tiny.toml\n```\n", page
    )
    assert "### Folds" in page
    assert "### Hold-out" in page
    assert "`bpr` is left out: it knows only the users" in page
    assert "## Gone\n\nLeft out: there is no file" in page
    options = "`regularization=20`, `max_gigabytes=1`; plays: `regularization=10`"
    assert ["`ease`", options, "tuned: by hand"] in cells(page)
    for picture in re.findall(r"!\[.+\]\((.+)\)", page):
        assert (folder / "docs" / picture).read_text().lstrip().startswith("<?xml")
    assert page.count("![") == 2
    facts = json.loads((folder / FIGURES / "tiny.json").read_text())
    assert len(facts["plays"]["interactions"]["models"]) == 3
    assert facts["gone"] == {}


def test_it_goes_on_where_it_was(folder):
    fits = folder / "build" / "results" / "fits"
    kept = {path: path.stat().st_mtime_ns for path in fits.iterdir()}
    assert len(kept) == 2 * 3 + 2 + 2  # two models in folds, two held out, bpr with two seeds
    gone = sorted(fits.glob("ease-*"))[0]
    shutil.rmtree(gone)
    run(folder, folder / "tiny.toml", "--out", "again")
    again = {path: path.stat().st_mtime_ns for path in fits.iterdir()}
    assert again.keys() == kept.keys()
    assert [path for path in kept if again[path] != kept[path]] == [gone]
    assert (folder / "again" / "tiny.md").is_file()


def test_the_blend_mixes_standardized_scores(monkeypatch):
    small = partial(rv.RecVAE, epochs=2, width=16, latent=4)
    monkeypatch.setattr(rv, "RecVAE", small)
    data = rv.read_interactions(likes(), user="who", item="what")
    blend = Blend(weight=0.75, neural={"width": 8}, linear={"regularization": 5}).fit(data)
    histories = data.matrix[:7]
    parts = [small(width=8).fit(data), rv.EDLAE(regularization=5).fit(data)]
    expected = [zscore(part.score(histories), axis=1, ddof=1) for part in parts]
    mixed = 0.75 * expected[0] + 0.25 * expected[1]
    np.testing.assert_allclose(blend.score(histories), mixed, atol=1e-4)


def test_a_choice_of_sets_and_models(folder):
    spec = folder / "tiny.toml"
    run(folder, spec, "--models", "popularity", "--sets", "plays", "--out", "part")
    facts = json.loads((folder / "part" / "tiny.json").read_text())
    assert [line["model"] for line in facts["plays"]["folds"]["models"]] == ["popularity"]
    with pytest.raises(OptionError, match="did you mean 'popularity'"):
        run(folder, spec, "--models", "popularit")
    with pytest.raises(SystemExit, match="no data set is here"):
        run(folder, spec, "--sets", "gone")


def test_the_speed_of_evaluation(monkeypatch, capsys):
    small = ["--users", "60", "--items", "200", "--models", "ease"]
    monkeypatch.setattr(sys, "argv", ["evaluation", *small])
    evaluation.main()
    (line,) = cells(capsys.readouterr().out)[2:]
    assert line[0] == "`ease`"
    assert float(line[1]) >= 0
    assert float(line[3]) > 0
    assert evaluation.measure("bpr", 60, 200) > 0  # which knows its users only


def test_all_models_and_options_exist():
    spec = Spec.read(RESULTS)
    for entry in spec.models:
        assert {entry.build(name).name for name in spec.sets} == {entry.model}


def test_a_blend_has_the_options_that_its_members_have_alone():
    spec = Spec.read(RESULTS)
    for name in spec.sets:
        blend, neural, linear = (spec.build(model, name) for model in ("blend", "rec-vae", "edlae"))
        assert vars(rv.RecVAE(**blend.neural)) == vars(neural)
        assert vars(rv.EDLAE(**blend.linear)) == vars(linear)


def test_the_options_in_the_readme_are_those_of_the_results():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    (command,) = re.findall(r"^recvae compare --data ml-1m(?:.*\\\n)+.*", text, re.MULTILINE)
    settings = re.findall(r"--set ([\w-]+)\.(\w+=\S+)", command)
    models = re.findall(r"--models (\S+)", command)[0].split(",")
    assert {name for name, _ in settings} < set(models)
    for name in models:
        given = parse_settings([setting for model, setting in settings if model == name])
        assert vars(rv.build_model(name, given)) == vars(Spec.read(RESULTS).build(name, "ml-1m"))


def test_a_mistyped_set(tmp_path):
    line = '[[models]]\nmodel = "ease"\nby_set = { ml-100K = { regularization = 1 } }'
    (tmp_path / "typo.toml").write_text(RESULTS.read_text() + line)
    with pytest.raises(ValueError, match="did you mean 'ml-100k'"):
        Spec.read(tmp_path / "typo.toml")
