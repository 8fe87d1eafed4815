"""Validation users that a fit takes from its training users."""

import numpy as np
import pytest
import scipy.sparse as sp

from recvae.data.splits.validation import with_validation


@pytest.fixture
def train():
    likes = np.random.default_rng(0).random((1000, 30)) < 0.2
    likes[:, 0] |= ~likes.any(axis=1)
    return sp.csr_matrix(likes, dtype=np.float32)


def test_one_user_in_ten_validates_and_none_of_them_trains(train):
    rest, validation = with_validation(train, seed=0)
    assert rest.shape == (900, 30)
    assert validation.fold_in.shape == (100, 30)
    whole = [
        *map(bytes, rest.toarray()),
        *map(bytes, (validation.fold_in + validation.held_out).toarray()),
    ]
    assert sorted(whole) == sorted(map(bytes, train.toarray()))
    shown, hidden = (np.diff(part.indptr) for part in (validation.fold_in, validation.held_out))
    assert shown.all()
    np.testing.assert_array_equal(hidden, np.ceil(0.2 * (shown + hidden)))


def test_the_seed_decides(train):
    first, again, other = (with_validation(train, seed=seed)[1] for seed in (0, 0, 1))
    assert first.fingerprints() == again.fingerprints()
    assert first.fingerprints()[1] != other.fingerprints()[1]


def test_what_is_held_out_in_order_is_the_last(train):
    places = train.copy()
    random = np.random.default_rng(0)
    lengths = np.diff(train.indptr)
    places.data = np.concatenate([1 + random.permutation(n) for n in lengths]).astype(np.float32)
    _, validation = with_validation(places, seed=0, in_order=True)
    for user in range(100):
        assert validation.fold_in[user].data.max() < validation.held_out[user].data.min()


def test_of_few_users_none_validates(train):
    for few in (train[:199], sp.eye(1000, format="csr", dtype=np.float32)):
        assert with_validation(few, seed=0) == (few, None)
    assert with_validation(train[:200], seed=0)[1] is not None
