import tracemalloc
import warnings

import numpy as np
import pytest
import scipy.sparse as sp
from scipy.stats import spearmanr

import recvae as rv
from recvae.errors import DataError, OptionError
from recvae.latent import agreement, explain, gradient, leave_one_out
from recvae.ranking import blocks

NETS = ["mult-vae", "mult-dae", "rec-vae", "vamp-vae", "residual-vae", "elsa"]


def above_mean(scores):
    scores = np.asarray(scores)
    return scores - scores.mean(axis=1, keepdims=True)


def without(history, column):
    shorter = history.copy().tolil()
    shorter[0, column] = 0
    return sp.csr_matrix(shorter)


def test_an_item_of_a_linear_model_contributes_its_weight(models, matrix):
    weights = above_mean(models["ease"].weights_)
    history, columns = matrix[3], np.array([0, 5, 7])
    expected = weights[history.indices][:, columns]
    np.testing.assert_allclose(leave_one_out(models["ease"], history, columns), expected, atol=1e-6)


@pytest.mark.parametrize("name", [*NETS, "ensemble"])
def test_leaving_one_out_is_what_scoring_without_it_gives(name, models, matrix):
    model, history = models[name], matrix[1]
    whole = above_mean(model.score(history))[0]
    expected = [whole - above_mean(model.score(without(history, j)))[0] for j in history.indices]
    found = leave_one_out(model, history, np.arange(history.shape[1]))
    np.testing.assert_allclose(found, expected, atol=1e-4)


def test_what_makes_a_cold_item_likely_is_its_kind(cold):
    histories, model = cold
    history = sp.csr_matrix((np.ones(4, "f4"), ([0] * 4, [0, 1, 3, 6])), (1, histories.shape[1]))
    found = leave_one_out(model, history, np.arange(history.shape[1]))
    whole = above_mean(model.score_or_count(history))[0]
    first = above_mean(model.score_or_count(without(history, history.indices[0])))[0]
    np.testing.assert_allclose(found[0], whole - first, atol=1e-4)
    for item in (-3, -2):
        alike = history.indices % 3 == item % 3
        assert found[alike, item].mean() > found[~alike, item].mean()


def test_leaving_one_out_does_not_depend_on_the_blocks(vae, matrix, monkeypatch):
    whole = leave_one_out(vae, matrix[2], [1, 2])
    monkeypatch.setattr(blocks, "CELLS", 3 * matrix.shape[1])
    np.testing.assert_allclose(leave_one_out(vae, matrix[2], [1, 2]), whole, atol=1e-6)


def test_shortened_histories_take_the_memory_of_a_block(monkeypatch):
    history = sp.csr_matrix(np.ones((1, 2000), dtype=np.float32))
    model = rv.Popularity().fit(history)
    monkeypatch.setattr(blocks, "CELLS", 10 * 2000)
    tracemalloc.start()
    leave_one_out(model, history, [0])
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 5e6


@pytest.mark.parametrize("name", NETS)
def test_the_gradient_is_the_slope_of_the_score(name, models, matrix):
    """Against finite differences of the scores, with weights read as they are."""
    model, history, step = models[name], matrix[4], 1e-2
    found = gradient(model, history, [0, 9])
    model.input = "counts"
    try:
        for row in range(history.nnz):
            more, less = history.copy(), history.copy()
            more.data[row] += step
            less.data[row] -= step
            slopes = above_mean(model.score(more)) - above_mean(model.score(less))
            expected = slopes[0, [0, 9]] / (2 * step)
            np.testing.assert_allclose(found[row], expected, rtol=0.02, atol=2e-3)
    finally:
        model.input = "binary"


def test_contributions_by_gradient_sum_to_nothing(vae, matrix):
    np.testing.assert_allclose(gradient(vae, matrix[0], [3, 8]).sum(axis=0), 0, atol=1e-5)


def test_explain_names_the_items_of_the_greatest_contributions(matrix):
    items = [f"item {n}" for n in range(matrix.shape[1])]
    users = [f"user {n}" for n in range(matrix.shape[0])]
    rows, columns = matrix.nonzero()
    data = rv.read_interactions({"user": np.array(users)[rows], "item": np.array(items)[columns]})
    model, history = rv.EASE(regularization=5.0).fit(data), data.matrix[7]
    table = explain(model, history, k=4, reasons=2)
    assert list(table) == ["item", "rank", "because", "contribution"]
    assert table["rank"].tolist() == [1, 1, 2, 2, 3, 3, 4, 4]
    ids, _ = model.recommend(history, 4)
    assert table["item"].tolist() == list(model.item_ids_[ids[0]].repeat(2))
    seen = history.indices
    weights = above_mean(model.weights_)
    best = [seen[np.argsort(-weights[seen, column])[:2]] for column in ids[0]]
    assert table["because"].tolist() == list(model.item_ids_[np.concatenate(best)])
    expected = weights[np.concatenate(best), ids[0].repeat(2)]
    np.testing.assert_allclose(table["contribution"], expected, atol=1e-6)


def test_agreement_is_spearmans_correlation(vae, matrix):
    table = agreement(vae, matrix[:3], k=5)
    assert list(table) == ["correlation", "same_reason"]
    for user in range(3):
        columns = vae.recommend(matrix[user], 5)[0][0]
        exact, cheap = (f(vae, matrix[user], columns) for f in (leave_one_out, gradient))
        pairs = zip(exact.T, cheap.T, strict=True)
        expected = np.mean([spearmanr(one, other).statistic for one, other in pairs])
        assert table["correlation"][user] == pytest.approx(expected)
        same = exact.argmax(axis=0) == cheap.argmax(axis=0)
        assert table["same_reason"][user] == same.mean()


def test_the_cheap_form_agrees_with_the_exact_one(vae, matrix):
    assert agreement(vae, matrix[:20])["correlation"].mean() > 0.8


@pytest.mark.parametrize("rows", [slice(0, 2), slice(0, 0)])
def test_one_history_is_explained_at_a_time(rows, vae, matrix):
    with pytest.raises(DataError, match="one user"):
        leave_one_out(vae, matrix[rows], [0])


def test_nothing_explains_an_empty_history(vae, matrix):
    with pytest.raises(DataError, match="0 items"):
        gradient(vae, sp.csr_matrix((1, matrix.shape[1])), [0])


def test_an_empty_history_is_an_error_and_no_warning(vae, matrix):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        with pytest.raises(DataError, match="0 items"):
            explain(vae, sp.csr_matrix((1, matrix.shape[1])))
    assert not caught


@pytest.mark.parametrize("name", ["ease", "ensemble"])
def test_only_autoencoders_have_gradients(name, models, matrix):
    with pytest.raises(OptionError, match="no autoencoder"):
        gradient(models[name], matrix[0], [0])


def test_columns_that_are_not_there(vae, matrix):
    with pytest.raises(OptionError, match="columns must be"):
        leave_one_out(vae, matrix[0], [matrix.shape[1]])


def test_a_reason_or_more(vae, matrix):
    with pytest.raises(OptionError, match="reasons=-1"):
        explain(vae, matrix[0], 3, reasons=-1)
