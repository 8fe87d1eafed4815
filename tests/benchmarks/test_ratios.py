"""The nightly ratios: what holds, what fell, what is new."""

import json
import sys

import pytest

from benchmarks.speed import ratios

KEPT = {"steps": {"median": 4.0, "least": 1.0, "most": 9.0}}


@pytest.mark.parametrize("median", [3.41, 4.0, 8.0])
def test_a_ratio_that_holds(median):
    assert ratios.verdict({"steps": {"median": median}}, KEPT) is None


def test_a_ratio_that_fell_by_more_than_15_percent():
    assert ratios.verdict({"steps": {"median": 3.39}}, KEPT) == "steps: 3.39, was 4"


def test_a_machine_of_which_nothing_is_kept():
    assert "nothing to compare with" in ratios.verdict({"steps": {"median": 9.0}}, {})


@pytest.fixture
def run(tmp_path, monkeypatch):
    """The command, with turns that take seconds as they are given; what it has kept and written."""
    monkeypatch.setattr(ratios, "KEPT", tmp_path / "kept.json")
    monkeypatch.setattr(ratios, "alone", lambda way: (way(), 0.5))

    def run(ours, *words):
        monkeypatch.setattr(ratios, "PAIRS", {"steps": (lambda: ours, lambda: [6.0, 8.0, 90.0])})
        monkeypatch.setattr(sys, "argv", ["ratios", "--out", str(tmp_path / "out.json"), *words])
        ratios.main()

    return run


def test_what_was_kept_is_compared_with(run, tmp_path, capsys):
    run([2.0], "--keep")
    kept = json.loads((tmp_path / "kept.json").read_text())
    assert kept == {ratios.kind(): {"steps": {"median": 4.0, "least": 4.0, "most": 4.0}}}
    with pytest.raises(SystemExit) as held:
        run([2.2])
    assert held.value.code is None
    with pytest.raises(SystemExit) as fell:
        run([2.5])
    assert fell.value.code == "steps: 3.2, was 4"
    assert json.loads((tmp_path / "out.json").read_text())[ratios.kind()]["steps"]["median"] == 3.2
    assert json.loads((tmp_path / "kept.json").read_text()) == kept
