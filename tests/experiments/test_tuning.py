"""Tuning: what is tried, what is judged, what is kept."""

import json
import os
import re
import sqlite3
import subprocess
import sys
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from stub_models import Noisy, WithoutSpace, small_split

from recvae.errors import DataError, OptionError, TrainingError, WriteError
from recvae.evaluation.evaluate import evaluate
from recvae.experiments.compare import compare
from recvae.experiments.report.page import write_report
from recvae.experiments.study_files import opened
from recvae.experiments.tuning import tune
from recvae.options.spaces import Categorical, Float, Int, Space

METRIC = "ndcg@20"


@dataclass(kw_only=True, eq=False)
class Ranged(Noisy):
    """One whose noise may be any number; the best is the least."""

    noise: float = 1.0
    mixed: bool = False
    level: int = 3

    space: ClassVar[Space] = {
        "noise": Float(0.01, 10.0, log=True),
        "mixed": Categorical((False, True)),
        "level": Int(1, 9),
    }
    fits: ClassVar[list[dict[str, object]]] = []

    def fit(self, interactions, validation=None, on_epoch=None):
        self.fits.append({"noise": self.noise, "mixed": self.mixed, "level": self.level})
        return super().fit(interactions, validation, on_epoch)


@dataclass(kw_only=True, eq=False)
class Slow(Ranged):
    """One that learns in 30 epochs, the better the less noise."""

    epochs: ClassVar[list[int]] = []

    def fit(self, interactions, validation=None, on_epoch=None):
        self.epochs.append(0)
        for epoch in range(1, 31):
            self.epochs[-1] = epoch
            on_epoch(epoch, epoch / 30 - self.noise)
        return super().fit(interactions, validation, on_epoch)


@pytest.fixture(scope="module")
def split():
    return small_split()


@pytest.fixture(autouse=True)
def forget():
    Ranged.fits.clear()
    Slow.epochs.clear()


def run(model, split, **arguments):
    arguments = {"metric": METRIC} | arguments
    return tune(model, split.train, split.validation, **arguments)


# What is tried


def test_own_options_first_then_others_of_the_space(split):
    tuned = run(Ranged(noise=2.0, level=7), split, trials=12)
    assert tuned.trials.iloc[0][["noise", "mixed", "level"]].tolist() == [2.0, False, 7]
    assert len(tuned.trials) == 12
    for option, kind in Ranged.space.items():
        assert all(value in kind for value in tuned.trials[option].tolist())
        assert tuned.trials[option].nunique() > 1
    assert (tuned.trials["state"] == "complete").all()


def test_a_trial_is_fitted_with_the_options_of_its_line(split):
    tuned = run(Ranged(), split, trials=5)
    columns = tuned.trials[["noise", "mixed", "level"]]
    assert columns.to_dict(orient="records") == Ranged.fits
    assert {type(fit["level"]) for fit in Ranged.fits} == {int}


def test_a_small_space_is_tried_until_nothing_is_left(split):
    tuned = run(Noisy(noise=3.0), split, trials=100)
    assert tuned.trials["noise"].iloc[0] == 3.0
    assert set(tuned.trials["noise"]) == {0.0, 0.5, 1.0, 2.0, 3.0}
    assert len(tuned.trials) < 100


def test_without_a_space_there_is_one_trial(split):
    tuned = run(WithoutSpace(), split, trials=5)
    assert len(tuned.trials) == 1
    assert tuned.chosen == {}


def test_an_option_that_the_space_cannot_hold_stays_as_it_is(split):
    tuned = run(Ranged(noise=0.0), split, trials=4)
    assert "noise" not in tuned.trials
    assert {fit["noise"] for fit in Ranged.fits} == {0.0}
    assert tuned.chosen["noise"] == 0.0


@settings(max_examples=10)
@given(seed=st.integers(0, 2**32), trials=st.integers(1, 12))
def test_the_seed_decides_what_is_tried(split, seed, trials):
    one, other = (run(Ranged(), split, trials=trials, seed=seed) for _ in range(2))
    assert one.trials.drop(columns="seconds").equals(other.trials.drop(columns="seconds"))


def test_other_seeds_try_others(split):
    noises = {run(Ranged(), split, trials=2, seed=seed).trials["noise"][1] for seed in range(5)}
    assert len(noises) == 5


def test_what_was_found_guides_what_is_tried(split):
    noises = run(Ranged(noise=10.0), split, trials=40).trials["noise"]
    assert np.median(noises[-20:]) < np.median(noises[:10])


# What is kept


def test_the_best_by_validation_is_kept_fitted(split):
    model = Ranged(noise=2.0, seed=7)
    tuned = run(model, split, trials=10)
    assert tuned.model.seed == 7
    assert tuned.best == tuned.trials[METRIC].idxmax()
    assert tuned.chosen == tuned.trials.loc[tuned.best, ["noise", "mixed", "level"]].to_dict()
    again = evaluate(tuned.model, split.validation, [METRIC]).mean[METRIC]
    assert again == tuned.trials[METRIC].max()
    assert not hasattr(model, "weights_")


def test_the_dictionary_is_json_and_the_text_shows_the_best(split):
    tuned = run(Slow(noise=0.1), split, trials=16)
    facts = json.loads(json.dumps(tuned.to_dict(), allow_nan=False))
    assert facts["value"] == facts["trials"][facts["best"]][METRIC] == tuned.trials[METRIC].max()
    assert sum(facts["states"].values()) == len(facts["trials"]) == 16
    assert {line["state"] for line in facts["trials"] if line[METRIC] is None} == {"pruned"}
    first, *_, last = str(tuned).splitlines()[2:]
    assert first.split()[0] == str(tuned.best)
    states = facts["states"]
    assert last == f"trials: {states['complete']} complete, {states['pruned']} pruned, 0 failed"


def test_ctrl_c_keeps_the_best_so_far(split, monkeypatch, caplog):
    class Interrupted(Ranged):
        @property
        def interrupted_(self):
            return len(self.fits) == 4

    tuned = run(Interrupted(), split, trials=9)
    assert tuned.interrupted
    assert len(tuned.trials) == 3
    assert tuned.model.noise == tuned.trials["noise"][tuned.best]
    assert "interrupted after trial 3" in caplog.text


def test_ctrl_c_before_there_is_anything_to_keep_is_passed_on(split):
    class Interrupted(Noisy):
        interrupted_ = True

    with pytest.raises(KeyboardInterrupt):
        run(Interrupted(), split, trials=2)


# Trials that come to no end


def test_a_training_that_falls_behind_is_pruned(split):
    tuned = run(Slow(noise=0.1), split, trials=20)
    assert tuned.trials["state"].isin(["complete", "pruned"]).all()
    pruned = tuned.trials["state"] == "pruned"
    assert 3 <= pruned.sum() <= 16
    epochs = np.array(Slow.epochs)
    assert (epochs[pruned] < 30).all()
    assert (epochs[~pruned] == 30).all()
    assert tuned.trials[METRIC].isna().equals(pruned)
    assert tuned.trials["noise"][pruned].min() > tuned.trials["noise"][~pruned].min()


def test_a_model_that_fails_costs_a_trial_and_no_more(split, caplog):
    class Failing(Ranged):
        def fit(self, interactions, validation=None, on_epoch=None):
            if self.mixed:
                raise TrainingError("too mixed")
            return super().fit(interactions, validation, on_epoch)

    tuned = run(Failing(), split, trials=10)
    failed = tuned.trials["state"] == "failed"
    assert len(tuned.trials) == 10
    assert failed.equals(tuned.trials["mixed"].astype(bool))
    assert failed.any()
    assert "failed: too mixed" in caplog.text


def test_when_all_fail_it_says_why(split):
    class Failing(Noisy):
        def fit(self, interactions, validation=None, on_epoch=None):
            raise TrainingError("the loss is no number")

    with pytest.raises(TrainingError, match=r"all 3 trials failed.*the loss is no number"):
        run(Failing(), split, trials=3)


def test_what_no_other_options_could_mend_is_raised(split):
    class Wrong(Noisy):
        def fit(self, interactions, validation=None, on_epoch=None):
            raise DataError("there is nothing to learn from")

    with pytest.raises(DataError, match="nothing to learn"):
        run(Wrong(), split, trials=3)


# In a comparison


def test_a_comparison_tells_of_every_trial(split, tmp_path):
    result = compare({"slow": Slow(noise=0.1)}, split, metrics=[METRIC], tune_trials=16)
    lines = json.loads(json.dumps(result.to_dict(), allow_nan=False))["trials"]["slow"]
    assert len(lines) == 16
    assert {line["state"] for line in lines if line[METRIC] is None} == {"pruned"}
    page = write_report(result, tmp_path).read_text(encoding="utf-8")
    assert page.count("<td>pruned</td>") == sum(line[METRIC] is None for line in lines)
    assert "<td>nan</td>" not in page


def test_ctrl_c_ends_the_comparison_too(split):
    class Interrupted(Ranged):
        @property
        def interrupted_(self):
            return len(self.fits) == 3

    with pytest.raises(KeyboardInterrupt):
        compare({"a": Interrupted()}, split, tune_trials=5)


# The budget


def test_minutes_end_it(split):
    tuned = run(Ranged(), split, minutes=0.005)
    assert len(tuned.trials) > 1
    assert run(Ranged(), split, minutes=1e-9).trials["noise"].tolist() == [1.0]


def test_what_comes_first_ends_it(split):
    assert len(run(Ranged(), split, trials=2, minutes=60).trials) == 2
    assert len(run(Ranged(), split, trials=10**6, minutes=1e-9).trials) == 1


@pytest.mark.parametrize(
    ("budget", "said"),
    [
        ({}, "trials=..., minutes=..., or both"),
        ({"trials": 0}, "trials=0 must be above 0"),
        ({"trials": 3, "minutes": -1.0}, "minutes=-1.0 must be above 0"),
        ({"minutes": float("nan")}, "minutes=nan must be above 0"),
    ],
)
def test_a_budget_that_is_none_is_refused(split, budget, said):
    with pytest.raises(OptionError, match=said):
        run(Noisy(), split, **budget)


@pytest.mark.parametrize(
    ("metric", "said"), [("ncdg@10", "did you mean 'ndcg'"), ("gini@10", "better the lower it is")]
)
def test_no_metric_to_choose_by_is_refused_before_fitting(split, metric, said):
    with pytest.raises(OptionError, match=said):
        run(Ranged(), split, trials=1, metric=metric)
    assert not Ranged.fits


# Studies in files


@dataclass(kw_only=True, eq=False)
class Announced(Ranged):
    """One that says when a fit begins."""

    def fit(self, interactions, validation=None, on_epoch=None):
        print("fitting", flush=True)
        return super().fit(interactions, validation, on_epoch)


def without_seconds(tuned):
    return tuned.trials.drop(columns="seconds")


def test_a_study_goes_on_as_if_it_had_not_been_cut_off(split, tmp_path):
    path = tmp_path / "deep" / "a.study"
    first = run(Slow(noise=0.1), split, trials=9, study=path)
    second = run(Slow(noise=0.1), split, trials=16, study=path)
    whole = run(Slow(noise=0.1), split, trials=16)
    assert second.trials.iloc[:9].equals(first.trials)
    assert without_seconds(second).equals(without_seconds(whole))
    assert (whole.trials["state"] == "pruned").any()


def test_a_study_with_nothing_left_to_try_gives_its_best_fitted(split, tmp_path):
    first = run(Ranged(noise=2.0), split, trials=5, study=tmp_path / "a.study")
    Ranged.fits.clear()
    again = run(Ranged(noise=2.0), split, trials=5, study=tmp_path / "a.study")
    assert again.trials.equals(first.trials)
    assert [again.chosen] == [first.chosen] == Ranged.fits
    value = evaluate(again.model, split.validation, [METRIC]).mean[METRIC]
    assert value == first.trials[METRIC].max()


@pytest.mark.slow
def test_a_kill_loses_no_finished_trial(split, tmp_path):
    path = tmp_path / "a.study"
    call = f"run(Announced(), small_split(), trials=10**6, study={str(path)!r})"
    code = f"from test_tuning import *; {call}"
    running = subprocess.Popen(
        [sys.executable, "-c", code],
        cwd=Path(__file__).parent,
        stdout=subprocess.PIPE,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
    )
    for _ in range(5):
        assert running.stdout.readline() == b"fitting\n"
    running.kill()
    running.communicate()
    tuned = run(Announced(), split, trials=20, study=path)
    assert without_seconds(tuned).equals(without_seconds(run(Ranged(), split, trials=20)))
    assert len(Ranged.fits) - 20 <= 20 - 4 + 1  # of these 20 trials; the best may be fitted again


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"metric": "ndcg@10"}, "another metric (ndcg@20, and not ndcg@10)"),
        ({"model": Noisy(noise=1.0)}, "another model (Ranged, and not Noisy)"),
        ({"model": Ranged(seed=1)}, "another option seed (0, and not 1)"),
        ({"split": small_split(n_users=330)}, "another training data"),
    ],
)
def test_a_study_of_something_else_is_refused(split, tmp_path, study, change, said):
    path = tmp_path / "a.study"
    path.write_bytes(study)
    given = {"model": Ranged(), "split": split} | change
    with pytest.raises(DataError, match=re.escape(said)):
        run(**given, trials=2, study=path)


def test_a_file_that_is_no_study_is_refused_and_left_alone(split, tmp_path):
    notes = tmp_path / "notes.txt"
    notes.write_text("remember the milk")
    with pytest.raises(DataError, match="not a study"):
        run(Ranged(), split, trials=1, study=notes)
    assert notes.read_text() == "remember the milk"
    with pytest.raises(WriteError, match="choose a place"):
        run(Ranged(), split, trials=1, study=tmp_path)


def test_a_study_that_another_is_at_work_on_is_refused(split, tmp_path):
    path = tmp_path / "a.study"
    with opened(path, {}), pytest.raises(DataError, match="another tuning is at work"):
        run(Ranged(), split, trials=1, study=path)


@pytest.mark.parametrize("trick", ["pipe", "link"])
def test_a_study_that_is_no_regular_file_is_refused(split, tmp_path, trick):
    path = tmp_path / "a.study"
    os.mkfifo(path) if trick == "pipe" else path.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(WriteError, match="is no regular file"):
        run(Ranged(), split, trials=1, study=path)


@pytest.fixture(scope="module")
def study(split, tmp_path_factory) -> bytes:
    """A study of two trials."""
    path = tmp_path_factory.mktemp("tuned") / "a.study"
    run(Ranged(), split, trials=2, study=path)
    return path.read_bytes()


@pytest.mark.parametrize(
    "damage",
    [
        "update trial_user_attributes set value_json = 'x' where key = 'seconds'",
        "delete from trial_user_attributes where key = 'seconds'",
        "update trials set datetime_start = 'never'",
        "update trial_params set distribution_json = '{}'",
        "update study_directions set direction = 'MINIMIZE'",
        "delete from study_directions",
        "drop table trials",
    ],
)
def test_a_damaged_study_is_one_clear_error(split, tmp_path, study, damage):
    path = tmp_path / "a.study"
    path.write_bytes(study)
    with closing(sqlite3.connect(path)) as database, database:
        database.execute(damage)
    with pytest.raises(DataError, match="not a study"):
        run(Ranged(), split, trials=3, study=path)


def test_failures_and_odd_names_are_kept(split, tmp_path):
    class Failing(Ranged):
        def fit(self, interactions, validation=None, on_epoch=None):
            if len(self.fits) == 1:
                self.fits.append({})
                raise MemoryError("no room")
            return super().fit(interactions, validation, on_epoch)

    path = tmp_path / "what? #1 {x}.study"
    run(Failing(), split, trials=3, study=path)
    assert list(tmp_path.glob("[!.]*")) == [path]
    tuned = run(Failing(), split, trials=4, study=path)
    assert tuned.trials["state"].tolist() == ["complete", "failed", "complete", "complete"]


def test_optuna_says_nothing(split, tmp_path, capfd):
    run(Slow(), split, trials=9, study=tmp_path / "a.study")
    assert capfd.readouterr() == ("", "")
