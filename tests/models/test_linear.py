import logging

import numpy as np
import pytest
import scipy.sparse as sp
import torch

import recvae as rv
from recvae.engine import machine
from recvae.errors import OptionError, TrainingError
from recvae.models import sparse_edlae
from recvae.models.families import linear_algebra as linear
from recvae.models.families.linear_algebra import (
    gram,
    inverse_,
    require_memory,
    zero_diagonal_weights_,
)

X = sp.random(50, 12, density=0.3, format="csr", random_state=0, dtype=np.float32)


def penalized():
    return gram(X) + torch.eye(12)


@pytest.mark.parametrize("block", [1, 5, 12, 512])
def test_gram_in_blocks(block, monkeypatch):
    monkeypatch.setattr(linear, "BLOCK_ITEMS", block)
    product = gram(X)
    assert product.dtype == torch.float32
    np.testing.assert_allclose(product, X.toarray().T @ X.toarray(), rtol=1e-6)


def test_inverse_is_symmetric_and_takes_the_memory_of_the_matrix():
    matrix = penalized()
    expected = np.linalg.inv(matrix.numpy())
    inverse = inverse_(matrix)
    assert inverse.data_ptr() == matrix.data_ptr()
    np.testing.assert_allclose(inverse, expected, atol=1e-6)
    np.testing.assert_array_equal(inverse, inverse.T)


def test_no_inverse():
    with pytest.raises(TrainingError, match="raise regularization"):
        inverse_(torch.ones(3, 3))


def test_weights_are_stationary_where_they_are_free():
    """The KKT conditions: the gradient of the loss vanishes off the diagonal, which is zero."""
    weights = zero_diagonal_weights_(inverse_(penalized()))
    gradient = penalized() @ weights - gram(X)
    gradient.fill_diagonal_(0)
    np.testing.assert_allclose(gradient, np.zeros((12, 12)), atol=1e-5)
    np.testing.assert_array_equal(weights.diagonal(), np.zeros(12))


def test_memory_is_announced_and_refused(caplog):
    with caplog.at_level(logging.INFO, logger="recvae"):
        require_memory("EASE", 20_000, 1.6)
    assert "EASE needs about 1.6 GB for 20,000 items" in caplog.text
    refusal = r"40.0 GB for 100,000 items.*max_gigabytes=39: use SparseEDLAE"
    with pytest.raises(OptionError, match=refusal):
        require_memory("EASE", 100_000, 39)


def test_no_more_memory_than_the_machine_has(monkeypatch):
    monkeypatch.setattr(machine, "gigabytes", lambda: 4.0)
    with pytest.raises(OptionError, match=r"40.0 GB for 100,000 items, and this machine.* has 4.0"):
        require_memory("EASE", 100_000, 64)


def test_little_memory_is_not_worth_a_word(caplog):
    with caplog.at_level(logging.INFO, logger="recvae"):
        require_memory("EASE", 1000, 1.0)
    assert not caplog.text


def test_sparse_edlae_with_all_items_as_neighbors_is_edlae():
    matrix = sp.random(60, 20, density=0.6, format="csr", random_state=0, dtype=np.float32)
    whole = rv.EDLAE(regularization=5.0).fit(matrix).weights_
    local = rv.SparseEDLAE(regularization=5.0, n_neighbors=20).fit(matrix).neighbors_
    np.testing.assert_allclose(local.toarray(), whole, atol=1e-6)


def test_sparse_edlae_keeps_the_largest_weights_of_each_item():
    matrix = sp.random(60, 20, density=0.6, format="csr", random_state=0, dtype=np.float32)
    kept = rv.SparseEDLAE(regularization=5.0, n_weights=6).fit(matrix)
    whole = rv.EDLAE(regularization=5.0).fit(matrix).weights_.numpy()
    largest = np.argsort(-np.abs(whole), axis=1)[:, :6]
    np.testing.assert_array_equal(kept.neighbors_.indices.reshape(20, 6), np.sort(largest, axis=1))


def test_each_item_is_a_ridge_regression_on_its_neighbors(monkeypatch):
    monkeypatch.setattr(sparse_edlae, "ENTRIES", 50)  # several batches
    random = np.random.default_rng(0)
    dense = (random.random((40, 12)) < 0.4) * random.random((40, 1))
    neighbors = sp.random(12, 12, density=0.3, format="lil", random_state=1)
    neighbors.setdiag(0)
    neighbors[5] = 0  # one without neighbors
    neighbors = neighbors.tocsr()
    neighbors.eliminate_zeros()
    penalty = random.random(12) + 1
    found = sparse_edlae.local_weights(sp.csr_matrix(dense, dtype=np.float32), neighbors, penalty)
    expected = np.zeros((12, 12))
    for item in range(12):
        near = neighbors[item].indices
        gram = dense[:, near].T @ dense[:, near] + np.diag(penalty[near])
        expected[near, item] = np.linalg.solve(gram, dense[:, near].T @ dense[:, item])
    np.testing.assert_allclose(found.toarray(), expected, atol=1e-6)
