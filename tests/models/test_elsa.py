"""What is ELSA's own; the contract suite tests what it shares with all models."""

import numpy as np
import pytest
import scipy.sparse as sp
import torch
from torch.nn.functional import mse_loss, normalize

import recvae as rv
from recvae.engine.batch import Batch
from recvae.nets.elsa import ELSANet

CPU = torch.device("cpu")
ROWS = sp.random(30, 12, density=0.7, format="csr", random_state=1, dtype=np.float32)
SMALL = {"latent": 4, "epochs": 3, "device": "cpu"}


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def new_net(dropout=0.0):
    net = ELSANet(12, 4, dropout=dropout)
    net.initialize(generator())
    return net


def reference_loss(weight, x, noisy):
    """The authors' code: their model and their NMSELoss, of dense rows."""
    vectors = normalize(weight, dim=-1)
    output = noisy @ vectors @ vectors.T - noisy
    return mse_loss(normalize(output, dim=-1), normalize(x, dim=-1))


@pytest.mark.parametrize("dropout", [0.0, 0.4])
def test_loss_and_gradient_are_those_of_dense_rows(dropout):
    net, batch = new_net(dropout), Batch.of(ROWS, CPU)
    noisy = batch.normalized().dropout(dropout, generator(1))
    dense = torch.zeros(ROWS.shape).index_put((noisy.rows, noisy.columns), noisy.values)
    expected = 12 / 2 * reference_loss(net.weight, torch.tensor(ROWS.toarray()), dense)
    loss = rv.ELSA(**SMALL).loss_terms(net, generator(1), batch, 0).loss
    torch.testing.assert_close(loss, expected)
    gradients = [torch.autograd.grad(one, net.weight)[0] for one in (loss, expected)]
    torch.testing.assert_close(*gradients, atol=1e-6, rtol=1e-4)


def test_scores_leave_the_item_itself_out():
    model = rv.ELSA(**SMALL).fit(ROWS)
    vectors = normalize(model.net_.weight.detach(), dim=1).numpy()
    weights = vectors @ vectors.T - np.eye(12)
    rows = (ROWS.toarray() > 0) / np.sqrt(np.diff(ROWS.indptr))[:, None]
    np.testing.assert_allclose(model.score(ROWS), rows @ weights, atol=1e-6)


def test_rows_without_items_give_no_nan():
    empty = sp.csr_matrix((10, 12), dtype=np.float32)
    model = rv.ELSA(**SMALL, dropout=0.9).fit(sp.vstack([ROWS, empty]).tocsr())
    assert np.isfinite(model.history_["loss"]).all()
    assert model.net_.weight.isfinite().all()
    np.testing.assert_array_equal(model.score(empty), np.zeros((10, 12)))


def test_movielens_1m(real_data):
    """As good as a tuned EASE, whose NDCG@100 is 0.4203, but for less than a standard error."""
    data = rv.load_dataset("ml-1m", data_dir=real_data, min_rating=4, min_user_items=5)
    split = rv.split_users(data, n_validation=1000, n_test=1000, seed=98765)
    model = rv.ELSA(epochs=20).fit(split.train)
    assert rv.evaluate(model, split.test).mean["ndcg@100"] > 0.418
