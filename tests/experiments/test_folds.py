"""Comparison over several splits and seeds, and runs that are kept."""

import json
import os
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from forged_stores import reseal
from stub_models import KnowsOnlyItsUsers, Noisy, Trained, WithoutSpace

from recvae.data.interactions import Interactions
from recvae.data.splits import Split, split_folds
from recvae.errors import OptionError, WriteError
from recvae.evaluation.evaluate import evaluate
from recvae.experiments.compare import compare
from recvae.experiments.report.page import write_report

METRICS = ("recall@10", "coverage@10", "ndcg@20")
SEEDS = (3, 4, 5)


@dataclass(kw_only=True, eq=False)
class Never(Noisy):
    """One that must not be fitted."""

    def fit(self, interactions, validation=None, on_epoch=None):
        raise AssertionError


@dataclass(kw_only=True, eq=False)
class Stopped(Noisy):
    """One that Ctrl-C stops."""

    def fit(self, interactions, validation=None, on_epoch=None):
        raise KeyboardInterrupt


@pytest.fixture(scope="module")
def splits() -> list[Split]:
    matrix = np.random.default_rng(2).random((130, 40)) < np.linspace(0.5, 0.05, 40)
    return split_folds(Interactions.from_matrix(sp.csr_matrix(matrix)), 3, 20)


def alone(model: Noisy, split: Split) -> pd.DataFrame:
    return evaluate(model.fit(split.train), split.test, METRICS).per_user


def test_all_test_users_of_all_splits_count_alike(splits):
    result = compare({"a": Noisy(noise=0.5), "b": Noisy(noise=3.0)}, splits, metrics=METRICS)
    parts = {
        name: pd.concat([alone(Noisy(noise=noise), split) for split in splits])
        for name, noise in (("a", 0.5), ("b", 3.0))
    }
    assert result.n_users == 130 - sum(split.test.n_dropped for split in splits)
    for name, values in parts.items():
        pd.testing.assert_frame_equal(result.reports[name].per_user, values)
        line = result.table.loc[name]
        assert line["ndcg@20"] == pytest.approx(values["ndcg@20"].mean())
        assert line["ndcg@20_stderr"] == pytest.approx(values["ndcg@20"].sem())
    line = result.differences.loc[("recall@10", "b")]
    paired = parts["b"]["recall@10"] - parts["a"]["recall@10"]
    assert line["difference"] == pytest.approx(paired.mean())
    assert line["low"] < paired.mean() < line["high"]
    assert result.activity.query("model == 'a'")["users"].sum() == result.n_users
    assert len(result.history_lengths) == result.n_users


def test_curves_and_coverage_are_means_over_the_splits_by_their_users(splits):
    result = compare({"a": Noisy(noise=0.5)}, splits, metrics=METRICS)
    assert result.curves.loc["recall@10", "a"] == pytest.approx(result.table.loc["a", "recall@10"])
    reports = [evaluate(Noisy(noise=0.5).fit(s.train), s.test, "coverage@10") for s in splits]
    mean = np.average([r.mean.iloc[0] for r in reports], weights=[r.n_users for r in reports])
    assert result.table.loc["a", "coverage@10"] == pytest.approx(mean)
    assert np.isnan(result.table.loc["a", "coverage@10_stderr"])
    assert result.setting["splits"] == 3
    assert result.setting["test users"] == result.n_users


def test_a_user_may_be_tested_once_only(splits):
    with pytest.raises(OptionError, match="user 0 is a test user of several splits"):
        compare({"a": Noisy()}, [splits[0], splits[1], splits[0]])


def test_a_model_that_fails_on_one_split_is_left_out(splits):
    known = replace(splits[0], test=replace(splits[0].test, rows=np.arange(44)))
    result = compare({"bpr": KnowsOnlyItsUsers(), "a": Noisy()}, [known, *splits[1:]])
    assert list(result.runs) == ["a"]
    assert result.skipped["bpr"].startswith("it knows only the users")


def test_users_values_are_averaged_over_seeds(splits):
    model = Noisy(noise=2.0)
    result = compare({"a": model}, splits, metrics=METRICS, seeds=SEEDS)
    by_seed = [
        pd.concat([alone(Noisy(noise=2.0, seed=seed), split) for split in splits]) for seed in SEEDS
    ]
    report = result.reports["a"]
    pd.testing.assert_frame_equal(report.per_user, sum(by_seed) / 3)
    assert report.stderr["ndcg@20"] == pytest.approx((sum(by_seed) / 3)["ndcg@20"].sem())
    means = [values["ndcg@20"].mean() for values in by_seed]
    assert result.table.loc["a", "ndcg@20_seed_std"] == pytest.approx(np.std(means, ddof=1))
    assert report.mean["ndcg@20"] == pytest.approx(np.mean(means))
    assert f"± {np.std(means, ddof=1):.4f}" in str(result)
    assert result.setting["seeds of the models"] == "3, 4, 5"
    assert not hasattr(model, "weights_")


def test_what_draws_nothing_is_fitted_once(splits):
    @dataclass(kw_only=True, eq=False)
    class Seedless:
        supports_new_users = True
        history_ = None
        interrupted_ = False
        fits = 0

        def fit(self, interactions, validation=None, on_epoch=None):
            Seedless.fits += 1
            self.inner = Noisy().fit(interactions)
            self.n_parameters, self.n_bytes = self.inner.n_parameters, self.inner.n_bytes
            return self

        def recommend(self, histories, k=10, *, rows=None, deny=None):
            return self.inner.recommend(histories, k, rows=rows)

    result = compare({"once": Seedless(), "b": Noisy(noise=2.0)}, splits[0], seeds=SEEDS)
    assert Seedless.fits == 1
    assert np.isnan(result.table.loc["once", "ndcg@100_seed_std"])
    assert json.dumps(result.to_dict(), allow_nan=False)


@pytest.mark.slow
def test_what_is_kept_is_not_fitted_again(splits, tmp_path, monkeypatch):
    models = {"a": Trained(noise=1.0), "b": Noisy(noise=2.0)}
    arguments = {"metrics": METRICS, "seeds": SEEDS, "cache_dir": tmp_path / "kept"}
    first = compare(models, splits, **arguments)
    assert len(list((tmp_path / "kept").iterdir())) == 2 * 3 * 3
    monkeypatch.setattr(Noisy, "fit", Never.fit)
    again = compare(models, splits, **arguments)
    facts, facts_again = first.to_dict(), again.to_dict()
    assert json.dumps(facts_again) == json.dumps(facts)
    pd.testing.assert_frame_equal(again.per_user, first.per_user)
    assert again.training["a"].equals(first.training["a"])
    assert write_report(again, tmp_path / "report").is_file()


def test_a_comparison_that_was_stopped_goes_on(splits, tmp_path):
    with pytest.raises(KeyboardInterrupt):
        compare({"a": Noisy(noise=1.0), "b": Stopped()}, splits, cache_dir=tmp_path)
    assert len(list(tmp_path.iterdir())) == 3
    result = compare({"a": Noisy(noise=1.0), "b": Noisy(noise=2.0)}, splits, cache_dir=tmp_path)
    assert not hasattr(result.models["a"], "weights_")
    assert hasattr(result.models["b"], "weights_")


@pytest.mark.parametrize(
    "change", ["options", "class", "metrics", "training", "test", "users", "rows", "version"]
)
def test_nothing_is_taken_for_another(splits, tmp_path, monkeypatch, change):
    split, model, metrics = splits[0], Noisy(noise=1.0), METRICS
    compare({"a": model}, split, metrics=metrics, cache_dir=tmp_path)
    match change:
        case "options":
            model = Noisy(noise=1.5)
        case "class":
            model = WithoutSpace(noise=1.0)
        case "metrics":
            metrics = METRICS[1:]
        case "training":
            split = replace(split, train=split.train.select_users(np.arange(50)))
        case "test":
            split = replace(split, test=split.validation)
        case "users":
            split = replace(split, test=replace(split.test, user_ids=split.test.user_ids[::-1]))
        case "rows":
            rows = np.arange(len(split.test.user_ids))
            split = replace(split, test=replace(split.test, rows=rows))
        case "version":
            monkeypatch.setattr("recvae.experiments.run_cache.version", "{}-next".format)
    compare({"a": model}, split, metrics=metrics, cache_dir=tmp_path)
    assert len(list(tmp_path.iterdir())) == 2


@pytest.mark.parametrize("name", ["run.json", "users-*.parquet"])
@pytest.mark.parametrize("damage", ["cut", "flip", "pipe"])
def test_a_damaged_run_is_measured_again(splits, tmp_path, caplog, name, damage):
    arguments = {"metrics": METRICS, "cache_dir": tmp_path}
    first = compare({"a": Noisy(noise=1.0)}, splits, **arguments)
    damaged, *_ = tmp_path.rglob(name)
    content = bytearray(damaged.read_bytes())
    content[len(content) // 2] ^= 1
    if damage == "pipe":
        damaged.unlink()
        os.mkfifo(damaged)
    else:
        damaged.write_bytes(content[:100] if damage == "cut" else content)
    again = compare({"a": Noisy(noise=1.0)}, splits, **arguments)
    assert f"{damaged.parent} is damaged" in caplog.text
    pd.testing.assert_frame_equal(again.per_user, first.per_user)
    caplog.clear()
    compare({"a": Noisy(noise=1.0)}, splits, **arguments)
    assert not caplog.text


def test_a_run_of_other_facts_is_measured_again(splits, tmp_path, caplog):
    arguments = {"metrics": METRICS, "cache_dir": tmp_path}
    first = compare({"a": Noisy(noise=1.0)}, splits, **arguments)
    path, *_ = tmp_path.rglob("run.json")
    reseal(path, lambda said: said["facts"].update(mean=7, history=[{}, 1]))
    again = compare({"a": Noisy(noise=1.0)}, splits, **arguments)
    assert f"{path.parent} is damaged" in caplog.text
    pd.testing.assert_frame_equal(again.per_user, first.per_user)


def test_what_can_not_be_kept(splits, tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(WriteError, match="can't be written"):
        compare({"a": Never()}, splits, cache_dir=tmp_path / "file" / "folder")
    with pytest.raises(OptionError, match="what is tuned can't be kept"):
        compare({"a": Never()}, splits, tune_trials=3, cache_dir=tmp_path)
