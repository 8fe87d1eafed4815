"""Validation users that a fit takes from its training users."""

import numpy as np
import pytest
import scipy.sparse as sp

from recvae.data.splits.validation import with_validation


def users(n, n_items=30):
    likes = np.random.default_rng(0).random((n, n_items)) < 0.2
    likes[:, :2] |= likes.sum(axis=1, keepdims=True) < 2
    return sp.csr_matrix(likes, dtype=np.float32)


@pytest.mark.parametrize(
    ("n_users", "n_validating", "turns"), [(200, 20, 5), (6000, 600, 3), (20_000, 1000, 2)]
)
def test_one_user_in_ten_validates_several_times_and_none_of_them_trains(
    n_users, n_validating, turns
):
    train = users(n_users)
    rest, validation = with_validation(train, seed=0)
    rows = validation.user_ids
    assert rows.nunique() == n_validating
    others = np.setdiff1d(np.arange(n_users), rows)
    assert (rest != train[others]).nnz == 0
    assert (validation.fold_in + validation.held_out != train[rows]).nnz == 0
    assert rows.value_counts().max() == turns


def test_each_item_is_held_out_once_and_a_fifth_at_a_time():
    train = users(1000)
    _, validation = with_validation(train, seed=0)
    rows, held_out = validation.user_ids.to_numpy(), validation.held_out
    for row in np.unique(rows):
        turns = held_out[rows == row]
        np.testing.assert_array_equal(turns.sum(axis=0), train[row].toarray())
        lengths = np.diff(turns.indptr)
        assert lengths.max() - lengths.min() <= 1
        assert len(lengths) == min(5, train[row].nnz)


def test_the_seed_decides():
    first, again, other = (with_validation(users(1000), seed=seed)[1] for seed in (0, 0, 1))
    assert first.fingerprints() == again.fingerprints()
    assert first.fingerprints()[1] != other.fingerprints()[1]


def test_what_is_held_out_in_order_is_the_last():
    places = users(1000)
    random, lengths = np.random.default_rng(0), np.diff(places.indptr)
    places.data = np.concatenate([1 + random.permutation(n) for n in lengths]).astype(np.float32)
    _, validation = with_validation(places, seed=0, in_order=True)
    assert validation.user_ids.is_unique
    shown, hidden = validation.fold_in, validation.held_out
    for user in range(shown.shape[0]):
        assert shown[user].data.max() < hidden[user].data.min()
    np.testing.assert_array_equal(np.diff(hidden.indptr), np.ceil(lengths[validation.user_ids] / 5))


def test_of_few_users_with_several_items_none_validates():
    few = [users(199), sp.eye(1000, format="csr", dtype=np.float32)]
    few.append(sp.vstack([few[1][:, :30], users(199)], format="csr"))
    for train in few:
        assert with_validation(train, seed=0) == (train, None)
