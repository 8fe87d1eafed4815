"""A model of another package, installed for real: docs/add-a-model.md kept."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from commands import in_one_process

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
HELPERS = ROOT / "tests" / "helpers"
PACKAGE = HELPERS / "outside_package"
PAGE = (ROOT / "docs" / "add-a-model.md").read_text(encoding="utf-8")


def python(*arguments, **environment):
    """What Python prints."""
    done = subprocess.run(
        [sys.executable, *map(str, arguments)],
        env=os.environ | {"OMP_NUM_THREADS": "1", "NO_COLOR": "1"} | environment,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    """PYTHONPATH with the package installed."""
    folder = tmp_path_factory.mktemp("outside")
    shutil.copytree(PACKAGE, folder / "source")  # building leaves files there
    install = ["install", "--quiet", "--no-deps", "--no-build-isolation", "--no-index"]
    python("-m", "pip", *install, "--target", folder / "installed", folder / "source")
    return os.pathsep.join(map(str, (folder / "installed", ROOT, HELPERS)))


def test_the_command_line_knows_it(path, tmp_path):
    model, mine = tmp_path / "model", tmp_path / "mine.csv"
    mine.write_text("user,item\n1,1\n1,2\n")
    data, options = ["--data", "sample"], ["latent=8", "epochs=2", "device=cpu"]
    chosen = [word for option in options for word in ("--set", option)]
    page, trained, judged, lists = in_one_process(
        ["train", "--help"],
        ["train", *data, "--model", "linear-dae", *chosen, "--out", model],
        ["evaluate", model, *data, "--json"],
        ["recommend", model, "--history", mine, "-k", 3, "--json"],
        PYTHONPATH=path,
    )
    assert [code for _, _, code in (page, trained, judged, lists)] == [0] * 4, trained
    assert "linear-dae" in page[0]
    assert 0 < json.loads(judged[0])["metrics"]["ndcg@100"]["mean"] < 1
    assert len(json.loads(lists[0])) > 0


def test_it_passes_the_contract_suite_and_goes_wherever_models_go(path, tmp_path):
    blocks = re.findall(r"^```python\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)
    test = tmp_path / "test_linear_dae.py"
    test.write_text("from linear_dae import LinearDAE\n" + blocks[-1])
    tour = shutil.copy(HELPERS / "outside_tour.py", tmp_path)
    alone = {"PYTHONPATH": path, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    own = tmp_path / "pytest.ini"  # whatever lies in the folders above
    own.write_text("[pytest]\n", encoding="utf-8")
    said = python("-m", "pytest", "-v", "-p", "no:cacheprovider", "-c", own, test, tour, **alone)
    assert "test_it_goes_wherever_models_go PASSED" in said
    assert re.search(r"\d\d passed", said)


def test_the_page_shows_the_package():
    for name, language in {"linear_dae.py": "python", "pyproject.toml": "toml"}.items():
        assert f"```{language}\n{(PACKAGE / name).read_text(encoding='utf-8')}```" in PAGE
