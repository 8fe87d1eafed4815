"""Comparison: fitting, judging once, leaving out, marking."""

import json
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
import pytest
from stub_models import KnowsOnlyItsUsers, Noisy, Trained, small_split

from recvae.data.splits import Split
from recvae.errors import OptionError
from recvae.evaluation.evaluate import evaluate
from recvae.experiments.compare import compare
from recvae.experiments.comparison import Comparison
from recvae.models import EASE, Ensemble, ItemKNN

METRICS = ("recall@10", "coverage@10", "ndcg@20")


@pytest.fixture(scope="module")
def split() -> Split:
    return small_split()


@pytest.fixture(scope="module")
def result(split) -> Comparison:
    models = {
        "bad": Noisy(noise=5.0),
        "good": Noisy(),
        "same": Trained(),
        "bpr": KnowsOnlyItsUsers(),
    }
    return compare(models, split, metrics=METRICS)


def test_models_are_sorted_by_the_last_metric(result):
    assert list(result.table.index) == ["good", "same", "bad"]
    assert result.best == "good"
    assert list(result.models) == list(result.reports) == ["good", "same", "bad"]


def test_the_table_holds_what_evaluation_gives(result, split):
    report = evaluate(Noisy().fit(split.train), split.test, METRICS)
    line = result.table.loc["good"]
    for metric in METRICS:
        assert line[metric] == report.mean[metric]
    assert line["ndcg@20_stderr"] == report.stderr["ndcg@20"]
    assert line["parameters"] == 3600
    assert line["training_seconds"] > 0
    assert line["users_per_second"] > 0
    assert list(result.reports["good"].per_user) == ["recall@10", "ndcg@20"]


def test_what_is_no_comparison(split):
    with pytest.raises(OptionError, match=r"seeds=\(0, 1, 0\) holds one twice"):
        compare({"good": Noisy()}, split, seeds=(0, 1, 0))
    with pytest.raises(OptionError, match="mapping of models by name, got list"):
        compare(["ease"], split)
    with pytest.raises(OptionError, match="'ease' is no model but str"):
        compare({"ease": "ease"}, split)
    with pytest.raises(OptionError, match="'noisy' is no model but type"):
        compare({"noisy": Noisy}, split)
    with pytest.raises(OptionError, match="a seed must be 0 or more, not -1"):
        compare({"good": Noisy()}, split, seed=-1)
    for no_split in ([], [split.test]):
        with pytest.raises(OptionError, match="expected a Split"):
            compare({"good": Noisy()}, no_split)


def test_the_best_and_its_equals_are_marked(result):
    marks = result.top["ndcg@20"].to_dict()
    assert marks == {"good": True, "same": True, "bad": False}
    assert not result.top.loc["good", "coverage@10"]
    assert result.differences.loc[("ndcg@20", "bad"), "p"] < 0.05
    assert result.differences.loc[("ndcg@20", "same"), "p"] == 1
    assert "coverage@10" not in result.differences.index.get_level_values("metric")


def test_the_text_is_an_aligned_table_with_a_legend(result):
    lines = str(result).splitlines()
    assert lines[1].startswith("good ")
    assert lines[1].count("*") == 2
    assert lines[3].startswith("bad ")
    assert "*" not in lines[3]
    assert len({len(line) for line in lines[:4]}) == 1
    assert lines[4].startswith("* the best, or not significantly worse")
    assert lines[5].startswith("bpr is left out: it knows only the users")
    assert "<table" in result._repr_html_()


def test_what_cannot_fold_in_takes_part_where_users_are_known():
    split = small_split(known_users=True)
    result = compare({"bpr": KnowsOnlyItsUsers(), "other": Noisy(noise=1.0)}, split)
    assert result.skipped == {}
    assert result.best == "bpr"
    assert result.setting["test users are"] == "training users with a part hidden"


def test_only_what_cannot_fold_in_is_refused(split):
    with pytest.raises(OptionError, match="no model to compare"):
        compare({"bpr": KnowsOnlyItsUsers()}, split)
    with pytest.raises(OptionError, match="no model to compare"):
        compare({}, split)


def test_sorting_by_what_is_not_accuracy_is_refused(split):
    with pytest.raises(OptionError, match="can't be sorted by coverage@10"):
        compare({"a": Noisy()}, split, metrics=("ndcg@10", "coverage@10"))


def test_tuning_looks_at_validation_only_and_leaves_the_model_alone(split):
    model = Noisy(noise=3.0)
    blind = Split(split.train, split.validation, small_split(n_users=330).test)
    for parts in (split, blind):
        result = compare({"a": model}, parts, metrics=["ndcg@20"], tune_trials=99)
        assert result.chosen == {"a": {"noise": 0.0}}
    assert not hasattr(model, "weights_")
    tuned = result.runs["a"].tuned
    assert set(tuned.trials["noise"]) == {0.0, 0.5, 1.0, 2.0, 3.0}
    assert result.table.loc["a", "training_seconds"] == tuned.trials["seconds"][tuned.best]


def test_activity_parts_the_users_into_quarters(result, split):
    groups = result.activity
    assert set(groups["model"]) == {"good", "same", "bad"}
    good = groups[groups["model"] == "good"]
    report = result.reports["good"]
    assert good["users"].sum() == report.n_users
    total = (good["mean"] * good["users"]).sum() / report.n_users
    assert total == pytest.approx(report.mean["ndcg@20"])
    kept = np.diff(split.test.held_out.indptr) > 0
    lengths = np.diff(split.test.fold_in.indptr)[kept]
    first = good.iloc[0]
    low, high = map(int, first["items"].split("-"))
    inside = (lengths >= low) & (lengths <= high)
    assert first["users"] == inside.sum()
    assert first["mean"] == pytest.approx(report.per_user["ndcg@20"][inside].mean())


def test_equal_histories_make_one_group(result):
    lengths = np.full_like(result.history_lengths, 5)
    same = Comparison(result.runs, result.differences, lengths, {}, result.setting)
    assert set(same.activity["items"]) == {"5"}


def test_curves_meet_the_metrics(result):
    assert result.curves.loc["recall@10", "good"] == result.table.loc["good", "recall@10"]
    assert list(result.curves) == ["good", "same", "bad"]


def test_the_same_seed_gives_the_same_result(split, result):
    models = {"bad": Noisy(noise=5.0), "good": Noisy(), "same": Trained()}
    again = compare(models, split, metrics=METRICS)
    assert again.differences.equals(result.differences)
    other = compare(models, split, metrics=METRICS, seed=1)
    assert not other.differences["low"].equals(result.differences["low"])


def test_the_dictionary_is_json(result):
    facts = json.loads(json.dumps(result.to_dict(), allow_nan=False))
    assert facts["headline"] == (
        f"good leads with ndcg@20 {result.table.loc['good', 'ndcg@20']:.4f}, "
        "not significantly ahead of same."
    )
    assert [line["model"] for line in facts["models"]] == ["good", "same", "bad"]
    assert facts["models"][0]["coverage@10_stderr"] is None
    assert facts["options"]["bad"] == {"noise": 5.0, "seed": 0}
    assert facts["skipped"].keys() == {"bpr"}
    assert facts["training"]["same"][0]["epoch"] == 1
    assert facts["setting"]["training users"] == 100


def test_headlines(split):
    alone = compare({"good": Noisy()}, split)
    assert alone.to_dict()["headline"].startswith("good reaches ndcg@100 ")
    assert alone.differences.empty
    ahead = compare({"good": Noisy(), "bad": Noisy(noise=5.0), "worse": Noisy(noise=9.0)}, split)
    _, second, third = ahead.runs
    end = f", significantly ahead of {second} and {third}."
    assert ahead.to_dict()["headline"].endswith(end)


@dataclass(kw_only=True, eq=False)
class Told(Trained):
    """One that keeps what it is fitted on, and is best after 7 epochs."""

    heard: ClassVar[list] = []

    def fit(self, interactions, validation=None, on_epoch=None):
        self.heard.append((interactions.matrix.shape[0], validation, self.epochs))
        super().fit(interactions, validation, on_epoch)
        if validation is None:
            del self.history_["ndcg@100"]
        else:
            self.history_["ndcg@100"] = -((self.history_["epoch"] - 7) ** 2)
        return self


def test_the_chosen_model_is_fitted_on_all_training_pairs(split, tmp_path):
    whole = replace(split, final=split.train.select_users(np.arange(50)))
    Told.heard.clear()
    result = compare({"told": Told(), "noisy": Noisy()}, whole, cache_dir=tmp_path)
    assert Told.heard == [(100, split.validation, 20), (50, None, 7)]
    expected = evaluate(Noisy().fit(whole.final), split.test).mean
    for report in result.reports.values():
        assert report.mean[expected.index].tolist() == expected.tolist()
    assert result.training["told"]["ndcg@100"].argmax() == 6
    assert result.setting["training users"] == 50
    other = compare({"noisy": Noisy()}, split, cache_dir=tmp_path)
    assert other.reports["noisy"].mean.tolist() != expected.tolist()
    pool = compare({"pool": Ensemble(members=[EASE(), ItemKNN()]), "ease": EASE()}, whole)
    assert set(pool.models) == {"pool", "ease"}
    Told.heard.clear()
    compare({"told": Told()}, whole, tune_trials=2)
    assert [epochs for _, validation, epochs in Told.heard if validation is None] == [7]
    assert len(Told.heard) == 3
