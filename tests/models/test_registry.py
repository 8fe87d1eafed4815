"""The one list of models, and all that follows it."""

import re
import subprocess
import sys
from importlib.metadata import EntryPoint
from pathlib import Path

import model_lists
import pytest

import recvae as rv
from recvae import models
from recvae.cli.arguments import MODELS as IN_HELP
from recvae.errors import OptionError
from recvae.models import MODELS, Recommender, registry
from recvae.models.registry import BUILT_IN, Registry

ROOT = Path(__file__).parents[2]
CLASSES = {place.partition(":")[2] for place in BUILT_IN.values()}


def page(name):
    return (ROOT / "docs" / name).read_text(encoding="utf-8")


def test_every_model_is_known_by_its_name():
    assert list(MODELS) == list(BUILT_IN)
    for name, model in MODELS.items():
        assert type(rv.build_model(name, {})) is model
        assert model.name == name


def test_the_names_are_there_without_torch():
    code = "import sys, recvae.cli; sys.exit('torch' in sys.modules or 'scipy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
    assert IN_HELP.split(", ") == list(MODELS)


def test_the_stubs_and_the_pages_have_every_model():
    for module in (rv, models):
        given = {name for name in module.__all__ if isinstance(getattr(module, name), type)}
        assert {name for name in given if issubclass(getattr(module, name), Recommender)} - {
            "Recommender"
        } == CLASSES
    listed = re.findall(r"^::: recvae\.([A-Z]\w+)$", page("api/models.md"), re.MULTILINE)
    assert sorted(listed) == sorted(CLASSES)
    _, table = page("models.md").split("## Options to know")
    pairs = {}
    for names, classes in re.findall(r"^\| (`[^|]*`) \| (`[^|]*`) \|", table, re.MULTILINE):
        pairs |= zip(re.findall(r"[\w-]+", names), re.findall(r"\w+", classes), strict=True)
    assert pairs == {name: place.partition(":")[2] for name, place in BUILT_IN.items()}


def test_the_lists_are_those_that_the_script_writes():
    changed = [path for path, text in model_lists.written() if path.read_text("utf-8") != text]
    assert changed == []


def test_the_script_lists_a_new_model(monkeypatch):
    places = model_lists.PLACES | {"recvae.models.new_vae": "NewVAE"}
    monkeypatch.setattr(model_lists, "PLACES", places)
    monkeypatch.setattr(model_lists, "CLASSES", sorted(places.values()))
    of_models, of_all, reference, _ = (set(text.split("\n")) for _, text in model_lists.written())
    assert {"from .new_vae import NewVAE", '    "NewVAE",'} <= of_models
    assert {"    NewVAE,", '    "NewVAE",'} <= of_all
    assert "::: recvae.NewVAE" in reference


def test_options_may_be_text():
    model = rv.build_model("als", {"factors": "32", "alpha": "2"})
    assert (model.factors, model.alpha) == (32, 2.0)


def test_a_mistyped_model():
    with pytest.raises(OptionError, match=r"no model 'mult_vae': did you mean 'mult-vae'\?"):
        rv.build_model("mult_vae", {})
    with pytest.raises(OptionError, match="no model None: known: als, "):
        rv.build_model(None)


def test_a_mistyped_option():
    with pytest.raises(OptionError, match=r"did you mean 'n_neighbors'\?"):
        rv.build_model("item-knn", {"neighbours": 3})


@pytest.mark.parametrize(
    ("place", "said"),
    [
        ("no_such_package.models:Mine", "can't be imported from no_such_package.models"),
        ("recvae.models.ease:Mine", "can't be imported from recvae.models.ease"),
        ("recvae.models.ease:EASE", "calls itself 'ease'"),
    ],
)
def test_a_model_of_another_package_that_is_none(place, said, monkeypatch):
    points = [EntryPoint(name, place, registry.GROUP) for name in ("mine", "ease")]
    monkeypatch.setattr(registry, "entry_points", lambda group: points)
    others = Registry()
    assert list(others) == [*BUILT_IN, "mine"]
    assert others["ease"] is rv.EASE
    with pytest.raises(OptionError, match=said):
        others["mine"]
