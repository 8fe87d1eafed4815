"""Evaluation: who is judged, by what list, and what the report says."""

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from stub_models import Fixed, Noisy, small_split

from recvae.data.interactions import Interactions
from recvae.data.splits import Holdout
from recvae.errors import DataError, OptionError
from recvae.evaluation.evaluate import evaluate
from recvae.ranking import blocks

EVERY = ("recall@5", "ndcg@10", "precision@5", "map@10", "mrr@10", "hit@3", "coverage@5")


def holdout(held_out, **fields) -> Holdout:
    held_out = sp.csr_matrix(np.asarray(held_out, dtype=float))
    return Holdout(sp.csr_matrix(held_out.shape), held_out, **fields)


def test_mean_error_and_values_of_each_user():
    report = evaluate(
        Fixed([[0, 1], [0, 1], [2, 0]]),
        holdout([[1, 0, 0], [0, 1, 0], [0, 1, 0]], user_ids=pd.Index(list("abc"), name="user")),
        ("hit@1", "mrr@2"),
    )
    assert report.per_user["hit@1"].to_dict() == {"a": 1, "b": 0, "c": 0}
    assert report.per_user["mrr@2"].to_dict() == {"a": 1, "b": 0.5, "c": 0}
    assert report.mean.to_dict() == pytest.approx({"hit@1": 1 / 3, "mrr@2": 0.5})
    assert report.stderr["hit@1"] == pytest.approx(np.std([1, 0, 0], ddof=1) / np.sqrt(3))
    assert (report.n_users, report.n_skipped) == (3, 0)
    assert report.users_per_second == pytest.approx(3 / report.seconds)


def test_users_with_nothing_held_out_are_left_out_and_counted():
    parts = holdout([[0, 0, 0], [0, 1, 0], [0, 0, 0]], rows=np.array([2, 0, 1]), n_dropped=4)
    report = evaluate(Fixed([[1, 0], [0, 2], [0, 2]]), parts, ["hit@1"])
    assert report.per_user["hit@1"].to_dict() == {1: 1}  # the row of the holdout, training row 0
    assert (report.n_users, report.n_skipped) == (1, 6)
    assert "6 more with nothing held out" in repr(report)


def test_a_list_is_asked_for_that_fits_the_catalogue():
    asked = []

    class Asked(Fixed):
        def recommend(self, histories, k=10, *, rows=None, deny=None):
            asked.append(k)
            return super().recommend(histories, k, rows=rows)

    model = Asked([[2, 1, 0]])
    assert evaluate(model, holdout([[0, 1, 1]]), ["recall@100"]).mean["recall@100"] == 1
    evaluate(model, holdout([[0, 1, 1]]), ["recall@1", "hit@2"])
    assert asked == [3, 2]


def test_coverage_is_one_number():
    report = evaluate(Fixed([[0], [1]]), holdout(np.eye(2, 4)), ["coverage@1", "hit@1"])
    assert report.mean["coverage@1"] == 0.5
    assert np.isnan(report.stderr["coverage@1"])
    assert list(report.per_user) == ["hit@1"]
    alone = evaluate(Fixed([[0], [1]]), holdout(np.eye(2, 4)), ["coverage@1"])
    assert alone.mean["coverage@1"] == 0.5
    assert alone.per_user.shape == (2, 0)


def test_novelty_takes_popularity_from_training():
    split = small_split()
    model = Noisy().fit(split.train)
    ranked, _ = model.recommend(split.test.fold_in, 5)
    surprisal = -np.log2(np.maximum(model.item_counts_, 1) / 100)
    kept = np.diff(split.test.held_out.indptr) > 0
    expected = surprisal[ranked[kept]].mean()
    assert evaluate(model, split.test, ["novelty@5"]).mean["novelty@5"] == pytest.approx(expected)


def test_the_result_does_not_depend_on_blocks(monkeypatch):
    split = small_split()
    model = Noisy(noise=0.3).fit(split.train)
    whole = evaluate(model, split.test, EVERY)
    for size in (1, 7, 64):
        monkeypatch.setattr(blocks, "MOST_USERS", size)
        pd.testing.assert_frame_equal(evaluate(model, split.test, EVERY).per_user, whole.per_user)
        assert evaluate(model, split.test, EVERY).mean.equals(whole.mean)


def test_the_order_of_users_does_not_matter():
    split = small_split()
    model = Noisy(noise=0.3).fit(split.train)
    order = np.random.default_rng(1).permutation(split.test.fold_in.shape[0])
    shuffled = Holdout(
        split.test.fold_in[order], split.test.held_out[order], user_ids=split.test.user_ids[order]
    )
    whole = evaluate(model, split.test, EVERY).per_user
    again = evaluate(model, shuffled, EVERY).per_user.loc[whole.index]
    pd.testing.assert_frame_equal(again, whole)


def test_one_user_has_no_standard_error():
    report = evaluate(Fixed([[0]]), holdout([[1]]), ["hit@1"])
    assert report.mean["hit@1"] == 1
    assert np.isnan(report.stderr["hit@1"])


def test_the_report_as_text_as_html_and_as_json():
    report = evaluate(Fixed([[0], [1]]), holdout(np.eye(2, 4)), ["hit@1", "coverage@1"])
    assert "hit@1       1.0000 ± 0.0000" in repr(report)
    assert "coverage@1  0.5000\n" in repr(report)
    assert "2 users; " in repr(report)
    assert "<td>0.5000</td>" in report._repr_html_()
    facts = json.loads(json.dumps(report.to_dict()))
    assert facts["metrics"] == {
        "hit@1": {"mean": 1.0, "stderr": 0.0},
        "coverage@1": {"mean": 0.5, "stderr": None},
    }
    assert (facts["n_users"], facts["n_skipped"]) == (2, 0)


def test_a_part_of_the_metrics():
    report = evaluate(Fixed([[0], [1]]), holdout(np.eye(2, 4)), ["hit@1", "coverage@1", "mrr@1"])
    part = report.select(["coverage@1", "mrr@1"])
    assert list(part.mean.index) == list(part.stderr.index) == ["coverage@1", "mrr@1"]
    assert list(part.per_user) == ["mrr@1"]


def test_dislikes_are_counted_in_the_lists_or_left_out_of_them():
    disliked = sp.csr_matrix([[1, 1, 0, 0, 0], [0, 1, 0, 0, 0], [1, 1, 1, 1, 1]])
    users = holdout([[0, 0, 1, 0, 0], [0, 0, 0, 0, 1], [0, 0, 0, 0, 0]], disliked=disliked)
    model = Noisy().fit(Interactions.from_matrix(sp.csr_matrix(np.tri(5))))
    report = evaluate(model, users, ["disliked@2", "hit@1"])
    assert report.per_user["disliked@2"].tolist() == [1, 0.5]
    assert report.per_user["hit@1"].tolist() == [0, 0]
    assert "dislike" not in report._caption()
    without = evaluate(model, replace(users, without_disliked=True), ["disliked@2", "hit@1"])
    assert without.per_user["disliked@2"].tolist() == [0, 0]
    assert without.per_user["hit@1"].tolist() == [1, 0]
    assert without.to_dict()["without_disliked"]
    assert "2 users, 1 more with nothing held out; lists without what they dislike" in str(without)
    with pytest.raises(DataError, match="nothing is known of what these users dislike"):
        evaluate(model, holdout(np.eye(5)), ["disliked@2"])


def test_nothing_held_out_at_all_is_refused():
    with pytest.raises(DataError, match="nothing is held out of any user"):
        evaluate(Fixed([[0]]), holdout([[0]]))


def test_what_is_no_holdout_of_the_models_items():
    split = small_split()
    model = Noisy().fit(split.train)
    with pytest.raises(DataError, match="got Split"):
        evaluate(model, split)
    model.item_ids_ = pd.Index([f"item {n}" for n in split.train.item_ids])
    with pytest.raises(DataError, match="not of the same items"):
        evaluate(model, replace(split.test, item_ids=model.item_ids_[::-1]))


def test_a_mistyped_metric_is_refused_before_ranking():
    with pytest.raises(OptionError, match="did you mean 'recall'"):
        evaluate(Fixed([]), holdout([[1]]), ["recal@20"])
