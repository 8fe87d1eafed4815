import logging

import numpy as np
import pytest
import scipy.sparse as sp
import torch

import recvae as rv
from recvae.engine import machine
from recvae.errors import OptionError, TrainingError
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
    with pytest.raises(OptionError, match=r"40.0 GB for 100,000 items.*max_gigabytes=39: use ELSA"):
        require_memory("EASE", 100_000, 39)


def test_no_more_memory_than_the_machine_has(monkeypatch):
    monkeypatch.setattr(machine, "gigabytes", lambda: 4.0)
    with pytest.raises(OptionError, match=r"40.0 GB for 100,000 items, and this machine.* has 4.0"):
        require_memory("EASE", 100_000, 64)


def test_little_memory_is_not_worth_a_word(caplog):
    with caplog.at_level(logging.INFO, logger="recvae"):
        require_memory("EASE", 1000, 1.0)
    assert not caplog.text


def test_sparse_edlae_keeps_the_largest_weights_of_edlae():
    matrix = sp.random(60, 20, density=0.3, format="csr", random_state=0, dtype=np.float32)
    whole = rv.EDLAE(regularization=5.0).fit(matrix).weights_.numpy()
    kept = rv.SparseEDLAE(regularization=5.0, n_neighbors=6).fit(matrix).neighbors_.toarray()
    np.fill_diagonal(whole, 0)
    assert (np.count_nonzero(kept, axis=1) == 6).all()
    np.testing.assert_array_equal(kept[kept != 0], whole[kept != 0])
    assert (np.abs(whole[kept == 0]).reshape(20, -1).max(axis=1) <= smallest(kept)).all()


def smallest(weights):
    return np.where(weights == 0, np.inf, np.abs(weights)).min(axis=1)
