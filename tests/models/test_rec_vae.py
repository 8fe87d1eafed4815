"""What is RecVAE's own; the contract suite tests what it shares with all models."""

import math

import numpy as np
import pytest
import scipy.sparse as sp
import torch
from torch import distributions

import recvae as rv
from recvae.engine.batch import Batch
from recvae.engine.objectives import composite_log_prior, log_normal
from recvae.nets.rec_vae import RecVAENet

CPU = torch.device("cpu")
ROWS = sp.csr_matrix(np.array([[1, 0, 1, 1], [0, 1, 0, 0], [0, 0, 0, 0]], dtype=np.float32))
SMALL = {"width": 16, "latent": 4, "batch_size": 10, "epochs": 3, "device": "cpu"}


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


@pytest.fixture
def net():
    net = RecVAENet(4, 6, 3)
    net.initialize(generator())
    return net


def test_log_normal_against_torch():
    code, mean, logvar = torch.randn(3, 5, 2, generator=generator())
    expected = distributions.Normal(mean, (0.5 * logvar).exp()).log_prob(code)
    torch.testing.assert_close(log_normal(code, mean, logvar), expected)


def test_the_prior_is_the_papers_mixture():
    code, mean, logvar = torch.randn(3, 5, 2, generator=generator())
    means = torch.stack([torch.zeros(5, 2), mean, torch.zeros(5, 2)], dim=-1)
    logvars = torch.stack([torch.zeros(5, 2), logvar, torch.full((5, 2), 10.0)], dim=-1)
    mixture = distributions.MixtureSameFamily(
        distributions.Categorical(probs=torch.tensor([3 / 20, 3 / 4, 1 / 10])),
        distributions.Normal(means, (0.5 * logvars).exp()),
    )
    torch.testing.assert_close(composite_log_prior(code, mean, logvar), mixture.log_prob(code))


def test_each_layer_of_the_encoder_sees_all_before_it(net):
    """The reference's formulas, written out."""
    encoder = net.encoder
    x = torch.tensor(ROWS.toarray())
    x = x / x.norm(dim=1, keepdim=True).clamp(min=1e-12)

    def out(norm, values):
        return encoder.norms[norm](values * values.sigmoid())

    h1 = out(0, x @ encoder.input.weight + encoder.input.bias)
    h2 = out(1, encoder.layers[0](h1) + h1)
    h3 = out(2, encoder.layers[1](h2) + h1 + h2)
    h4 = out(3, encoder.layers[2](h3) + h1 + h2 + h3)
    h5 = out(4, encoder.layers[3](h4) + h1 + h2 + h3 + h4)
    mean, logvar = net.encode(Batch.of(ROWS, CPU).normalized())
    torch.testing.assert_close(torch.cat([mean, logvar], dim=1), encoder.code(h5))


def test_kl_weighs_by_the_number_of_items(net):
    model, batch = rv.RecVAE(**SMALL, gamma=0.5), Batch.of(ROWS, CPU)
    terms = model.loss_terms(net, net.encoder, generator(), 0.0, batch, 0)
    mean, logvar = net.encode(batch.normalized())
    code = mean + (0.5 * logvar).exp() * torch.randn(mean.shape, generator=generator())
    log_ratio = log_normal(code, mean, logvar) - composite_log_prior(code, mean, logvar)
    expected = 0.5 * (torch.tensor([3.0, 1.0, 0.0]) * log_ratio.sum(dim=1)).mean()
    torch.testing.assert_close(terms.loss + terms.log_likelihood, expected)
    torch.testing.assert_close(terms.kl, log_ratio.sum(dim=1).mean())


def test_encoder_and_decoder_are_trained_in_turn_and_only_the_encoder_denoises():
    matrix = sp.random(30, 12, density=0.4, format="csr", random_state=0, dtype=np.float32)
    model, seen = rv.RecVAE(**SMALL | {"epochs": 1}), []
    terms = model.loss_terms

    def spy(net, previous, noise, dropout, batch, step):
        weights = (net.encoder.code.weight, net.decoder.weight, previous.code.weight)
        seen.append((dropout, *(weight.sum().item() for weight in weights)))
        return terms(net, previous, noise, dropout, batch, step)

    model.loss_terms = spy
    model.fit(matrix)
    dropout, encoder, decoder, previous = map(np.array, zip(*seen, strict=True))
    steps = len(seen) // 4
    assert dropout.tolist() == [0.5] * 3 * steps + [0.0] * steps
    assert len(set(encoder[: 3 * steps])) == 3 * steps
    assert len(set(decoder[: 3 * steps])) == 1
    assert len(set(encoder[3 * steps :])) == 1
    assert len(set(decoder[3 * steps :])) == steps
    assert set(previous[: 3 * steps]) == {encoder[0]}
    assert set(previous[3 * steps :]) == {encoder[-1]}


def test_an_empty_training_row_gives_no_nan():
    model = rv.RecVAE(**SMALL).fit(sp.vstack([ROWS] * 10).tocsr())
    assert np.isfinite(model.history_["loss"]).all()
    assert math.isfinite(model.score(ROWS).sum().item())
