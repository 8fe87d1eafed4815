import numpy as np
import pytest
import scipy.sparse as sp
from scipy.spatial.distance import cdist

import recvae as rv
from recvae.errors import DataError
from recvae.latent import fidelity, nearest_distance
from recvae.ranking import blocks


@pytest.fixture(scope="module")
def split(matrix):
    return rv.split_users(rv.Interactions.from_matrix(matrix), 10, 20)


def judged(synthetic, split, **options):
    return fidelity(synthetic, split.train, split.test, metric="ndcg@10", **options)


def test_the_real_users_themselves_are_perfect_copies(split):
    result = judged(split.train.matrix, split)
    assert (result.popularity, result.length, result.usefulness, result.copies) == (0, 0, 1, 1)
    assert (result.nearest == 0).all()
    assert result.nearest_held_out.min() > 0


def test_uniform_users_are_worse_in_everything_but_length(split):
    rng = np.random.default_rng(0)
    real = split.train.matrix
    rows = [rng.choice(real.shape[1], n, replace=False) for n in np.diff(real.indptr)]
    noise = sp.csr_matrix((real.data, np.concatenate(rows), real.indptr), shape=real.shape)
    result = judged(noise, split)
    assert result.popularity > 0.05
    assert result.length == 0
    assert result.usefulness < 0.9
    assert np.median(result.nearest) > np.median(result.nearest_held_out)
    assert "copies 0.00%" in repr(result)


def test_distances_by_hand():
    train = sp.csr_matrix([[1.0, 1, 0, 0], [1, 0, 1, 0]])
    synthetic = sp.csr_matrix([[1.0, 1, 1, 0], [0, 1, 0, 0], [0, 1, 0, 0]])
    test = rv.Holdout(
        fold_in=sp.csr_matrix([[1.0, 0, 0, 0]]), held_out=sp.csr_matrix([[0, 1.0, 0, 0]])
    )
    result = fidelity(synthetic, train, test, judge=rv.Popularity())
    assert result.popularity == pytest.approx(
        0.5 * (abs(1 / 5 - 1 / 2) + abs(3 / 5 - 1 / 4) + 0.05)
    )
    assert result.length == pytest.approx(1 / 3 * 1 + 2 / 3 * 1)
    np.testing.assert_allclose(result.nearest, [1 / 3, 1 / 2, 1 / 2], rtol=1e-6)
    np.testing.assert_allclose(result.nearest_held_out, [0])


def test_nothing_is_a_share_of_nothing():
    test = rv.Holdout(sp.csr_matrix([[1.0, 0, 0]]), sp.csr_matrix([[0, 0, 1.0]]))
    train = sp.csr_matrix([[1.0, 1, 0]])
    result = fidelity(train, train, test, judge=rv.Popularity(), metric="recall@1")
    assert np.isnan(result.usefulness)


def test_the_judge_is_left_as_it_is(split):
    judge = rv.EASE(regularization=5.0)
    judged(split.train.matrix, split, judge=judge)
    assert not hasattr(judge, "weights_")


def test_nearest_is_jaccards_distance(matrix, monkeypatch):
    monkeypatch.setattr(blocks, "CELLS", 200)
    one, other = matrix[:30], 3 * matrix[30:]
    dense = [part.toarray() > 0 for part in (one, other)]
    expected = cdist(*dense, metric="jaccard").min(axis=1)
    np.testing.assert_allclose(nearest_distance(one, other), expected, atol=1e-6)


def test_empty_users_are_alike():
    empty, full = sp.csr_matrix((1, 3)), sp.csr_matrix(np.ones((1, 3)))
    assert nearest_distance(empty, empty) == [0]
    assert nearest_distance(empty, full) == [1]


def test_sets_that_do_not_fit(split):
    for wrong in (split.train.matrix[:, 1:], sp.csr_matrix(split.train.shape)):
        with pytest.raises(DataError, match="the same items"):
            judged(wrong, split)
