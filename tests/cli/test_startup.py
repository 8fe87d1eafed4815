"""What is not imported: a command and a model load what they need, and nothing that takes long."""

import json
import subprocess
import sys

import pytest

import recvae as rv

HEAVY = {
    "duckdb",
    "fastapi",
    "implicit",
    "matplotlib",
    "onnx",
    "optuna",
    "ray",
    "scipy.stats",
    "sklearn",
    "sympy",
    "torch._dynamo",
}
"""Packages that only a few of the tools need."""

RUN = """
import contextlib, io, sys
import recvae, recvae.cli, recvae.models
from recvae.cli import app
assert "mult-vae" in list(recvae.models.MODELS)
{first}
with contextlib.redirect_stdout(io.StringIO()) as told, contextlib.suppress(SystemExit):
    app(["recommend", {model!r}, "--history", {history!r}, *{more!r}])
assert {word!r} in told.getvalue()
"""


def loaded(code: str) -> set[str]:
    """The modules that are there once some code has run in a process of its own."""
    code += "\nimport json, sys; print(json.dumps(sorted(sys.modules)))"
    told = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    return set(json.loads(told.stdout.splitlines()[-1]))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("startup")
    data = rv.read_interactions({"user": [*range(9)] * 20, "item": [n // 9 for n in range(180)]})
    rv.MultVAE(epochs=1, hidden=(), latent=2).fit(data).save(folder / "model")
    (folder / "mine.csv").write_text("item\n1\n2\n", encoding="utf-8")
    return folder


def test_models_and_recommending_load_no_more_than_they_need(folder):
    given = {"model": str(folder / "model"), "history": str(folder / "mine.csv")}
    first = "from recvae.models import EASE, MultVAE, Recommender, RecVAE"
    modules = loaded(RUN.format(**given, first=first, more=[], word="mine"))
    assert "recvae.models.mult_vae" in modules
    assert not modules & {"recvae.models.implicit_als", *HEAVY}


def test_the_names_of_models_and_help_load_no_torch():
    given = {"model": "no", "history": "no", "more": ["--help"], "word": "--history"}
    modules = loaded(RUN.format(first="", **given))
    assert not modules & {"torch", "numpy", "pandas", "scipy", *HEAVY}
