"""The same on a GPU, where there is one."""

import numpy as np
import pytest
import scipy.sparse as sp
import torch

import recvae as rv
from recvae.engine import objectives, sampled, sparse, tiled
from recvae.engine.batch import Batch
from recvae.models import MODELS
from recvae.models.families.autoencoder import AutoencoderRecommender

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA GPU")

GPU = torch.device("cuda")
SMALL = {"latent": 8, "epochs": 8, "batch_size": 20, "learning_rate": 0.01, "device": "cuda"}
AUTOENCODERS = [name for name, model in MODELS.items() if issubclass(model, AutoencoderRecommender)]


@pytest.fixture
def split():
    matrix = sp.random(160, 40, density=0.2, format="csr", random_state=0, dtype=np.float32)
    return rv.split_users(rv.Interactions.from_matrix(matrix.sign()), n_validation=20, n_test=20)


def assert_same_scores(one, other, histories):
    found, expected = (model.recommend(histories, 10)[1] for model in (one, other))
    np.testing.assert_allclose(found, expected, rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("name", AUTOENCODERS)
def test_trained_there_served_here(name, split, tmp_path):
    model = rv.build_model(name, SMALL).fit(split.train, split.validation)
    assert model.history_["loss"].iloc[-1] < model.history_["loss"].iloc[0]
    model.save(tmp_path)
    here = rv.load_model(tmp_path, device="cpu")
    assert_same_scores(model, here, split.test.fold_in)


@pytest.mark.parametrize("name", ["mult-vae", "rec-vae"])
def test_a_checkpoint_goes_on(name, split, tmp_path):
    def stop(epoch, _):
        if epoch == 3:
            raise KeyboardInterrupt

    def fit(on_epoch=None):
        model = rv.build_model(name, SMALL)
        return model.fit(split.train, split.validation, on_epoch, checkpoints=tmp_path)

    assert fit(stop).interrupted_
    assert len(fit().history_) == 8


def test_the_likelihood_in_tiles(monkeypatch):
    monkeypatch.setitem(tiled.TILE_CELLS, "cuda", 20 * 7)
    rows = sp.random(20, 50, density=0.2, format="csr", random_state=0, dtype=np.float32)
    batch = Batch.of(rows, GPU)
    hidden, weight, bias = (torch.randn(*size, device=GPU) for size in ((20, 8), (50, 8), (50,)))
    leaves = [tensor.requires_grad_() for tensor in (hidden, weight, bias)]
    plain = objectives.multinomial_log_likelihood(hidden @ weight.T + bias, batch)
    fast = tiled.multinomial_log_likelihood(hidden, weight, bias, batch)
    torch.testing.assert_close(fast, plain)
    expected = torch.autograd.grad(plain.sum(), leaves)
    for found, wanted in zip(torch.autograd.grad(fast.sum(), leaves), expected, strict=True):
        torch.testing.assert_close(found, wanted, rtol=1e-4, atol=1e-4)


def test_a_large_catalogue(split, monkeypatch):
    monkeypatch.setattr(sparse, "LARGE", 0)
    model = rv.MultVAE(**SMALL, softmax="sampled").fit(split.train, split.validation)
    assert model.history_["loss"].iloc[-1] < model.history_["loss"].iloc[0]
    present = torch.tensor([0, 3], device=GPU)
    drawn = sampled.sample_others(present, 10, 4, torch.Generator(GPU).manual_seed(0))
    assert drawn.is_cuda
    assert not {0, 3} & set(drawn.tolist())


def test_lists_are_those_of_the_cpu(split):
    there, here = (rv.ELSA(**SMALL | {"device": device}) for device in ("cuda", "cpu"))
    here.fit(split.train)
    there.fit(split.train)
    there.net_.load_state_dict(here.net_.state_dict())
    assert_same_scores(there, here, split.test.fold_in)
