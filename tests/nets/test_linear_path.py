"""The linear path against refits in float64, user by user."""

import numpy as np
import pytest
import scipy.sparse as sp
import torch

import recvae as rv
from recvae.engine.batch import Batch
from recvae.nets.linear_path import LinearPath, user_weights

CPU = torch.device("cpu")
TRAIN = sp.random(30, 12, density=0.4, format="csr", random_state=0)
X = (TRAIN.toarray() > 0).astype(np.float64)
SIZES = np.maximum(X.sum(axis=1), 1)
WEIGHTS = 1 / np.sqrt(SIZES)
PENALTY = np.diag(np.linspace(1.0, 4.0, 12))


def scores(histories, gram):
    """h - hP / diag(P), by the definition of the weights."""
    inverse = np.linalg.inv(gram + PENALTY)
    weights = -inverse / np.diag(inverse)
    np.fill_diagonal(weights, 0)
    return histories @ weights


@pytest.fixture
def path():
    path = LinearPath(12)
    inverse = np.linalg.inv(X.T @ (WEIGHTS[:, None] * X) + PENALTY)
    path.inverse = torch.from_numpy(inverse).float()
    return path


def batch(rows):
    return Batch.of(sp.csr_matrix(rows, dtype=np.float32), CPU)


def test_users_weigh_by_the_root_of_their_items():
    assert user_weights(torch.tensor([4.0, 1.0, 0.0])).tolist() == pytest.approx([0.5, 1.0, 1.0])


def test_new_users(path):
    histories = (np.random.default_rng(1).random((5, 12)) < 0.3).astype(np.float64)
    expected = scores(histories, X.T @ (WEIGHTS[:, None] * X))
    torch.testing.assert_close(path(batch(histories)), torch.from_numpy(expected).float())


def test_leaving_one_out_is_a_refit_without_the_user(path):
    kept = X * (np.random.default_rng(2).random(X.shape) < 0.5)
    found = path.leave_one_out(batch(kept), batch(X - kept))
    for user in range(len(X)):
        others = np.delete(np.arange(len(X)), user)
        gram = X[others].T @ (WEIGHTS[others, None] * X[others])
        np.testing.assert_allclose(found[user], scores(kept[user], gram), atol=1e-5)


def test_a_user_without_items_has_no_scores(path):
    nothing = batch(np.zeros((1, 12)))
    assert path.leave_one_out(nothing, nothing).tolist() == [[0.0] * 12]


def test_the_models_linear_path_is_edlae_of_weighted_users():
    model = rv.ResidualVAE(regularization=3.0, linear_dropout=0.25, epochs=1, device="cpu")
    model.fit(sp.csr_matrix(X, dtype=np.float32))
    gram = X.T @ (WEIGHTS[:, None] * X)
    penalty = np.diag(3.0 + 0.25 / 0.75 * np.diag(gram))
    np.testing.assert_allclose(
        model.net_.linear.inverse, np.linalg.inv(gram + penalty), rtol=1e-4, atol=1e-6
    )
