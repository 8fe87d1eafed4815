from functools import partial

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given
from hypothesis import strategies as st

from recvae.errors import DataError, OptionError
from recvae.latent import add_noise, drop

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
