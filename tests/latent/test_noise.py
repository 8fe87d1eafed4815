from functools import partial

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given
from hypothesis import strategies as st

from recvae.errors import DataError, OptionError
from recvae.latent import add_noise, denoise, drop, impute, surprisal

SHARES = st.floats(0, 0.95)


def lengths(histories):
    return np.diff(histories.indptr)


@given(rate=SHARES, seed=st.integers(0, 5))
def test_what_is_left_of_a_history_is_of_it(rate, seed, matrix):
    left = drop(3 * matrix, rate, seed=seed)
    np.testing.assert_array_equal(
        lengths(left), lengths(matrix) - (rate * lengths(matrix)).astype(int)
    )
    assert (left.multiply(matrix) != left).nnz == 0
    assert set(left.data) <= {3}


def test_every_item_is_as_likely_to_be_left_out():
    histories = sp.csr_matrix(np.ones((4000, 6), dtype="f4"))
    shares = drop(histories, 0.5).mean(axis=0).A1
    np.testing.assert_allclose(shares, 0.5, atol=0.04)


@given(rate=SHARES, seed=st.integers(0, 5))
def test_the_foreign_make_up_the_share(rate, seed, matrix):
    polluted = add_noise(matrix, rate, seed=seed)
    n = lengths(matrix)
    wanted = np.minimum(np.round(n * rate / (1 - rate)), matrix.shape[1] - n)
    np.testing.assert_array_equal(lengths(polluted) - n, wanted)
    assert (polluted.multiply(matrix) != matrix).nnz == 0
    assert set(polluted.data) == {1}


def test_items_are_drawn_by_popularity_and_none_that_are_denied():
    own = sp.csr_matrix(np.eye(1, 6).repeat(4000, axis=0))
    deny = sp.csr_matrix(np.eye(1, 6, 1).repeat(4000, axis=0))
    polluted = add_noise(own, 0.5, popularity=np.array([9, 9, 3, 1, 0, 0]), deny=deny)
    shares = polluted.mean(axis=0).A1
    np.testing.assert_allclose(shares, [1, 0, 0.75, 0.25, 0, 0], atol=0.03)


def test_the_seed_decides(matrix):
    for corrupt in (drop, add_noise):
        one, same, other = (corrupt(matrix, 0.4, seed=seed) for seed in (1, 1, 2))
        assert (one != same).nnz == 0
        assert (one != other).nnz > 0


def test_nobody_and_nothing(matrix):
    assert drop(matrix[:0], 0.5).shape == add_noise(matrix[:0], 0.5).shape == (0, matrix.shape[1])
    empty = sp.csr_matrix((2, matrix.shape[1]))
    assert drop(empty, 0.5).nnz == add_noise(empty, 0.5).nnz == 0


@pytest.mark.parametrize("rate", [-0.1, 1.0, float("nan")])
def test_rates_out_of_range(rate, matrix):
    for corrupt in (drop, add_noise):
        with pytest.raises(OptionError, match="below 1"):
            corrupt(matrix, rate)


def test_popularity_and_deny_of_others(matrix):
    full = partial(np.full, matrix.shape[1])
    for popularity in (np.ones(3), full(-1), full(np.inf), full(1e300), full(np.nan)):
        with pytest.raises(DataError, match="for each of 24 items"):
            add_noise(matrix, 0.5, popularity=popularity)
    with pytest.raises(DataError, match="give a row each"):
        add_noise(matrix, 0.5, deny=matrix[1:])


@pytest.mark.parametrize("name", ["mult-vae", "mult-dae", "residual-vae", "ensemble"])
def test_surprise_by_hand(name, models, matrix):
    found = surprisal(models[name], 3 * matrix)
    scores = models[name].score(matrix[4]).numpy()[0].astype(np.float64)
    expected = np.log(np.exp(scores).sum()) - scores[matrix[4].indices]
    np.testing.assert_array_equal(found[4].indices, matrix[4].indices)
    np.testing.assert_allclose(found[4].data, expected, rtol=1e-4)


def test_foreign_items_surprise_more(vae, matrix):
    """Users like one of three tastes; what is mixed in is of any."""
    polluted = add_noise(matrix, 0.2)
    nats, foreign = surprisal(vae, polluted), polluted - matrix
    own = nats.sum() - nats.multiply(foreign).sum()
    assert nats.multiply(foreign).sum() / foreign.sum() > own / matrix.nnz + 0.5


def test_the_least_likely_are_left_out(vae, matrix):
    histories = 2 * matrix
    left, nats = denoise(vae, histories, 0.3), surprisal(vae, histories)
    for kept, row, whole in zip(left, nats, histories, strict=True):
        n = row.nnz - int(0.3 * row.nnz)
        likely = row.indices[np.argsort(row.data)[:n]]
        assert sorted(kept.indices) == sorted(likely)
        assert (kept.multiply(whole > 0) != kept).nnz == 0
    assert set(left.data) == {2}


def test_nothing_is_left_out_of_short_histories_and_of_none(vae, matrix):
    assert (denoise(vae, matrix, 0.0) != matrix).nnz == 0
    assert denoise(vae, sp.csr_matrix((2, matrix.shape[1]))).nnz == 0
    assert denoise(vae, matrix[:0]).shape[0] == 0


@pytest.mark.parametrize("name", ["mult-vae", "ease"])
def test_the_first_of_the_list_are_added(name, models, matrix):
    model = models[name]
    filled = impute(model, 2 * matrix, 3)
    ids, _ = model.recommend(2 * matrix, 3)
    for row, before, added in zip(filled, matrix, ids, strict=True):
        assert sorted(row.indices) == sorted([*before.indices, *added])
    assert set(filled.data) == {1}


def test_as_many_are_added_as_there_are(vae, matrix):
    assert impute(vae, matrix, matrix.shape[1]).nnz == np.prod(matrix.shape)


def test_mistakes(models, vae, matrix):
    with pytest.raises(OptionError, match="below 1"):
        denoise(vae, matrix, 1.0)
    with pytest.raises(OptionError, match="no log-probabilities"):
        denoise(models["ease"], matrix)
