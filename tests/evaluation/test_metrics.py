"""Metrics against hand-worked cases, a slow reference in plain Python, and scikit-learn."""

from itertools import combinations
from math import log2

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import jaccard_score, ndcg_score

from recvae.errors import DataError, OptionError
from recvae.evaluation.metrics import (
    ACCURACY,
    METRICS,
    Metric,
    RankedLists,
    coverage,
    disliked,
    diversity,
    gini,
    ndcg,
    novelty,
    parse_metrics,
)


def reference(kind: str, ranked: list[int], held_out: set[int], k: int) -> float:
    """One user's value, straight from the definitions."""
    hits = [item in held_out for item in ranked[:k]]
    n_hits, room = sum(hits), min(k, len(held_out))
    ranks = [rank for rank, hit in enumerate(hits, start=1) if hit]
    match kind:
        case "recall":
            return n_hits / room
        case "full-recall":
            return n_hits / len(held_out)
        case "precision":
            return n_hits / k
        case "hit":
            return float(n_hits > 0)
        case "mrr":
            return 1 / ranks[0] if ranks else 0.0
        case "map":
            return sum(sum(hits[:rank]) / rank for rank in ranks) / room
        case "ndcg":
            ideal = sum(1 / log2(rank + 1) for rank in range(1, room + 1))
            return sum(1 / log2(rank + 1) for rank in ranks) / ideal
    raise AssertionError(kind)


@st.composite
def list_cases(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray]:
    """Ranked lists [users, K], some ended early, and held-out items bool [users, items]."""
    n_users, n_items = draw(st.integers(1, 6)), draw(st.integers(1, 12))
    length = draw(st.integers(1, n_items))
    generator = np.random.default_rng(draw(st.integers(0, 2**32)))
    ranked = np.stack([generator.permutation(n_items)[:length] for _ in range(n_users)])
    ends = generator.integers(0, length + 1, size=n_users)
    ranked[np.arange(length) >= ends[:, None]] = -1
    held_out = generator.random((n_users, n_items)) < draw(st.sampled_from([0.1, 0.5, 0.9]))
    held_out[np.arange(n_users), generator.integers(n_items, size=n_users)] = True
    return ranked, held_out


@given(list_cases(), st.integers(1, 15))
def test_accuracy_equals_the_plain_reference(case, k):
    ranked, held_out = case
    lists = RankedLists(ranked, sp.csr_matrix(held_out))
    for kind, measure in ACCURACY.items():
        expected = [
            reference(kind, row.tolist(), set(np.flatnonzero(items)), k)
            for row, items in zip(ranked, held_out, strict=True)
        ]
        np.testing.assert_allclose(measure(lists, k), expected, atol=1e-12, err_msg=kind)


@given(list_cases(), st.integers(1, 15))
def test_accuracy_is_from_0_to_1(case, k):
    lists = RankedLists(case[0], sp.csr_matrix(case[1]))
    for measure in ACCURACY.values():
        assert ((measure(lists, k) >= 0) & (measure(lists, k) <= 1 + 1e-12)).all()


@pytest.mark.parametrize("k", [1, 3, 10, 20])
def test_ndcg_equals_scikit_learn(k):
    generator = np.random.default_rng(3)
    scores = generator.permuted(np.tile(np.arange(20.0), (50, 1)), axis=1)
    relevant = generator.random((50, 20)) < 0.3
    relevant[:, 0] = True
    ours = ndcg(RankedLists(np.argsort(-scores, axis=1), sp.csr_matrix(relevant)), k)
    theirs = [ndcg_score([r], [s], k=k) for r, s in zip(relevant, scores, strict=True)]
    np.testing.assert_allclose(ours, theirs)


@pytest.mark.parametrize("kind", ["recall", "ndcg", "map", "mrr", "hit"])
@pytest.mark.parametrize("n", [1, 3, 8])
def test_a_perfect_list_scores_1(kind, n):
    held_out = sp.csr_matrix(np.arange(10)[None] < n)
    assert METRICS[kind](RankedLists(np.arange(5)[None], held_out), 5) == pytest.approx(1)


def test_all_metrics_of_a_hand_worked_case():
    # held out: 1, 4, 7; hits at ranks 2 and 4 of the list 3, 1, 0, 4
    held_out = sp.csr_matrix(np.isin(np.arange(8), [1, 4, 7])[None])
    lists = RankedLists(np.array([[3, 1, 0, 4]]), held_out, popularity=np.full(8, 0.5))
    ideal = 1 + 1 / log2(3) + 1 / 2
    expected = {
        "recall@4": 2 / 3,
        "recall@2": 1 / 2,
        "full-recall@2": 1 / 3,
        "precision@4": 2 / 4,
        "ndcg@4": (1 / log2(3) + 1 / log2(5)) / ideal,
        "map@4": (1 / 2 + 2 / 4) / 3,
        "mrr@4": 1 / 2,
        "mrr@1": 0,
        "hit@1": 0,
        "hit@2": 1,
        "coverage@4": 4 / 8,
        "novelty@4": 1,
    }
    for name, value in expected.items():
        assert Metric.parse(name)(lists) == pytest.approx(value), name


def test_a_list_longer_than_the_catalogue_can_fill_counts_misses():
    lists = RankedLists(np.array([[1, 0]]), sp.csr_matrix([[1.0, 1.0]]))
    assert Metric.parse("precision@4")(lists) == 0.5
    assert Metric.parse("recall@4")(lists) == 1
    assert Metric.parse("ndcg@4")(lists) == pytest.approx(1)
    assert Metric.parse("ndcg@99999999999")(lists) == pytest.approx(1)


def test_coverage_counts_items_once_and_no_ends_of_lists():
    lists = RankedLists(np.array([[0, -1], [0, 3]]), sp.csr_matrix(np.eye(2, 4)))
    assert coverage(lists, 2) == 0.5


def test_novelty_is_over_the_items_shown():
    popularity = np.array([0.5, 0.125])
    lists = RankedLists(
        np.array([[1, 0], [1, -1], [-1, -1]]), sp.csr_matrix(np.ones((3, 2))), popularity
    )
    np.testing.assert_allclose(novelty(lists, 2), [2, 3, 0])
    np.testing.assert_allclose(novelty(lists, 1), [3, 3, 0])
    longer = RankedLists(np.array([[1, 0, 0]]), sp.csr_matrix([[1, 1]]), popularity)
    np.testing.assert_allclose(novelty(longer, 2), [2])


def test_novelty_without_popularity_is_refused():
    with pytest.raises(DataError, match="item_counts_"):
        novelty(RankedLists(np.array([[0]]), sp.csr_matrix([[1.0]])), 1)


def test_the_disliked_are_counted_over_all_places_of_a_list():
    low = sp.csr_matrix([[1, 0, 0, 1], [1, 0, 0, 0]])
    lists = RankedLists(np.array([[3, 1, 0], [0, -1, -1]]), 0 * low, disliked=low)
    np.testing.assert_allclose(disliked(lists, 2), [0.5, 0.5])
    np.testing.assert_allclose(disliked(lists, 3), [2 / 3, 1 / 3])


@given(list_cases(), st.integers(1, 15))
def test_diversity_equals_scikit_learn(case, k):
    """Its Jaccard distance, over all pairs of a list."""
    ranked, held_out = case
    labels = np.random.default_rng(k).random((held_out.shape[1], 4)) < 0.4
    lists = RankedLists(ranked, sp.csr_matrix(held_out), labels=sp.csr_matrix(labels, dtype="f4"))
    for row, value in zip(ranked, diversity(lists, k), strict=True):
        own = labels[[item for item in row[:k] if item >= 0]]
        apart = [
            1 - jaccard_score(*pair, zero_division=0) for pair in combinations(own.astype(int), 2)
        ]
        assert value == pytest.approx(np.mean(apart) if apart else 0)


@given(list_cases(), st.integers(1, 15))
def test_gini_is_half_the_relative_mean_difference(case, k):
    ranked, held_out = case
    times = [(ranked[:, :k] == item).sum() for item in range(held_out.shape[1])]
    differences = np.abs(np.subtract.outer(times, times))
    expected = differences.mean() / (2 * np.mean(times)) if sum(times) else 0
    lists = RankedLists(ranked, sp.csr_matrix(held_out))
    assert gini(lists, k) == pytest.approx(expected)


def test_diversity_without_labels_is_refused():
    with pytest.raises(DataError, match="must have a column `genres`"):
        diversity(RankedLists(np.array([[0]]), sp.csr_matrix([[1.0]])), 1)


def test_names_are_read_and_written_alike():
    for kind in METRICS:
        assert str(Metric.parse(f"{kind}@20")) == f"{kind}@20"
    assert [str(metric) for metric in parse_metrics(["hit@1", "map@5", "hit@1"])] == [
        "hit@1",
        "map@5",
    ]
    assert parse_metrics("hit@12") == [Metric("hit", 12)]


def test_accuracy_is_what_has_a_value_for_each_user():
    accuracy = {"recall", "full-recall", "ndcg", "precision", "map", "mrr", "hit"}
    assert {kind for kind in METRICS if Metric(kind, 5).is_accuracy} == accuracy == set(ACCURACY)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("ndgc@100", "no metric is called 'ndgc@100': did you mean 'ndcg'?"),
        ("NDCG@100", "did you mean 'ndcg'?"),
        ("auc@10", "known: coverage, disliked, diversity, full-recall, gini"),
        ("recall", "needs a length of the list, such as 'recall@20'"),
        ("recall@", "needs a length"),
        ("recall@0", "needs a length"),
        ("recall@ten", "needs a length"),
        ("recall@-1", "needs a length"),
    ],
)
def test_a_mistyped_name_is_refused(name, message):
    with pytest.raises(OptionError, match=message.replace("?", r"\?")):
        Metric.parse(name)


def test_no_metric_at_all_is_refused():
    with pytest.raises(OptionError, match="at least one metric"):
        parse_metrics([])


def test_hits_of_many_users():
    generator = np.random.default_rng(0)
    users, items = np.repeat(np.arange(10_000), 25), generator.integers(5_000, size=250_000)
    held_out = sp.csr_matrix((np.ones(250_000), (users, items)), shape=(10_000, 5_000))
    ranked = generator.integers(-1, 5_000, size=(10_000, 100))
    lists = RankedLists(ranked, held_out)
    hits = lists.hits
    for row in range(0, 10_000, 501):
        expected = np.isin(ranked[row], held_out[row].indices)
        np.testing.assert_array_equal(hits[row], expected)
