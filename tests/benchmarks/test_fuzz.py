"""The fuzzer of saved files: a short run of it, and that it can find something."""

import copy
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from benchmarks.abuse.fuzz import watched
from benchmarks.abuse.fuzz.forgery import forged_json
from benchmarks.abuse.fuzz.targets import Target

ROOT = Path(__file__).parents[2]
TARGETS = "item-knn,bpr,mult-vae,ensemble,cache,checkpoints,shards,run,sparse-codes,job,study"


@pytest.mark.slow
def test_some_hundred_mutations_do_no_harm():
    fuzz = [sys.executable, "-m", "benchmarks.abuse.fuzz", "--mutations", "400"]
    done = subprocess.run([*fuzz, "--targets", TARGETS], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "400 mutations" in done.stdout
    assert "0 findings" in done.stdout


def test_each_value_of_a_document_is_forged():
    content = {"name": "x", "files": [1, None, {"b": 2.5}], "known": True}
    forged = [
        json.dumps(forged_json(copy.deepcopy(content), np.random.default_rng(number)))
        for number in range(300)
    ]
    assert forged.count(json.dumps(content)) < 30
    for value in ('"x"', "null", "2.5", "true"):
        assert sum(value not in text for text in forged) > 10


@pytest.fixture
def judge(tmp_path):
    """Judge a way to load two mutated files, of which the first digest is the right one."""
    (tmp_path / "saved").mkdir()
    (tmp_path / "saved" / "model.json").write_bytes(b"{}" * 40)

    def judge(load, number=0):
        target = Target("stub", tmp_path / "saved", load)
        mutations = watched.Mutations([target])
        return watched._load(number, mutations, tmp_path / "entry", {target.folder: "right"})

    return judge


def test_what_is_found(judge, monkeypatch):
    def fail(_):
        raise KeyError("item_counts")

    assert judge(lambda _: "right").what == "same"
    assert judge(fail).what == "KeyError"
    assert {judge(lambda _: "wrong", n).what for n in range(20)} == {"other", "silent other"}
    monkeypatch.setattr(watched, "GROWTH", -1)
    assert judge(lambda _: "right").what == "memory"
