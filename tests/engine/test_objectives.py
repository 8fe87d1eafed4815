import math

import numpy as np
import pytest
import scipy.sparse as sp
import torch
from torch import distributions

from recvae.engine.batch import Batch
from recvae.engine.objectives import (
    GAUSSIAN_CONFIDENCE,
    IMPOSSIBLE,
    LOG_LIKELIHOODS,
    bernoulli_log_likelihood,
    composite_log_prior,
    gaussian_kl,
    gaussian_log_likelihood,
    log_normal,
    mixture_log_normal,
    multinomial_log_likelihood,
    sampled_composite_kl,
    without,
)

COUNTS = np.array([[1, 0, 2, 0], [0, 0, 0, 0], [3, 1, 0, 1]], dtype=np.float32)
BINARY = (COUNTS > 0).astype(np.float32)
LOGITS = torch.randn(3, 4, generator=torch.Generator().manual_seed(1))


def batch_of(rows):
    return Batch.of(sp.csr_matrix(rows), torch.device("cpu"))


def test_multinomial_by_hand():
    # Two items of equal logit: each has probability 1/2, so three draws cost 3 log 2.
    value = multinomial_log_likelihood(torch.zeros(1, 2), batch_of([[1, 2]]))
    assert value.item() == pytest.approx(-3 * math.log(2))


def test_multinomial_against_torch_but_for_the_coefficient():
    value = multinomial_log_likelihood(LOGITS, batch_of(COUNTS))
    for row, logits, counts in zip(value, LOGITS, torch.tensor(COUNTS), strict=True):
        n = int(counts.sum())
        if n == 0:
            assert row == 0
            continue
        expected = distributions.Multinomial(n, logits=logits).log_prob(counts)
        coefficient = math.lgamma(n + 1) - torch.lgamma(counts + 1).sum()
        assert row.item() == pytest.approx((expected - coefficient).item(), rel=1e-5)


def test_multinomial_is_summed_over_items_not_averaged():
    once = multinomial_log_likelihood(LOGITS, batch_of(BINARY))
    twice = multinomial_log_likelihood(LOGITS, batch_of(2 * BINARY))
    torch.testing.assert_close(twice, 2 * once)


def test_bernoulli_against_torch():
    expected = distributions.Bernoulli(logits=LOGITS).log_prob(torch.tensor(BINARY)).sum(dim=1)
    torch.testing.assert_close(bernoulli_log_likelihood(LOGITS, batch_of(BINARY)), expected)


def test_gaussian_against_torch_but_for_the_normalizer():
    confidence = torch.where(torch.tensor(COUNTS) > 0, GAUSSIAN_CONFIDENCE, 1.0)
    normal = distributions.Normal(LOGITS, confidence.rsqrt())
    normalizer = 0.5 * (confidence.log() - math.log(2 * math.pi))
    expected = (normal.log_prob(torch.tensor(COUNTS)) - normalizer).sum(dim=1)
    torch.testing.assert_close(gaussian_log_likelihood(LOGITS, batch_of(COUNTS)), expected)


def test_kl_by_hand():
    # 1/2 (mean^2 + variance - log variance - 1) in each dimension, summed.
    mean = torch.tensor([[0.0, 0.0], [1.0, 2.0]])
    logvar = torch.tensor([[0.0, 0.0], [0.0, math.log(4.0)]])
    expected = [0.0, 0.5 * 1 + 0.5 * (4 + 4 - math.log(4) - 1)]
    assert gaussian_kl(mean, logvar).tolist() == pytest.approx(expected)


def test_kl_against_torch():
    generator = torch.Generator().manual_seed(2)
    mean, logvar = torch.randn(2, 5, 7, generator=generator)
    posterior = distributions.Normal(mean, (0.5 * logvar).exp())
    expected = distributions.kl_divergence(posterior, distributions.Normal(0.0, 1.0)).sum(dim=1)
    torch.testing.assert_close(gaussian_kl(mean, logvar), expected)


@pytest.mark.parametrize("likelihood", LOG_LIKELIHOODS)
def test_gradients_are_those_of_finite_differences(likelihood):
    targets = batch_of(BINARY)
    targets = Batch(targets.offsets, targets.columns, targets.values.double(), targets.n_items)
    logits = LOGITS.double().requires_grad_()
    assert torch.autograd.gradcheck(lambda x: LOG_LIKELIHOODS[likelihood](x, targets), logits)


@pytest.mark.parametrize("likelihood", LOG_LIKELIHOODS)
def test_users_do_not_influence_each_other(likelihood):
    function, order = LOG_LIKELIHOODS[likelihood], [2, 0, 1]
    shuffled = function(LOGITS[order], batch_of(BINARY[order]))
    torch.testing.assert_close(shuffled, function(LOGITS, batch_of(BINARY))[order])


def test_what_is_known_is_impossible():
    known = sp.csr_matrix([[0, 1, 0], [0, 0, 0]], dtype=np.float32)
    logits = without(torch.tensor([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]), batch_of(known.toarray()))
    assert logits.tolist() == [[1, IMPOSSIBLE, 3], [4, 5, 6]]
    assert logits.softmax(dim=1)[0, 1] == 0


def gaussians(n=1, users=6, latent=4, seed=3):
    """Codes, means and log-variances, and torch's distribution of the latter two."""
    generator = torch.Generator().manual_seed(seed)
    code = torch.randn(users, latent, generator=generator)
    means, logvars = torch.randn(2, n, latent, generator=generator)
    return code, means, logvars, distributions.Normal(means, (0.5 * logvars).exp())


def test_the_density_of_a_gaussian_against_torch():
    code, mean, logvar, normal = gaussians()
    torch.testing.assert_close(log_normal(code, mean, logvar), normal.log_prob(code))


@pytest.mark.parametrize("n", [1, 5])
def test_the_mixture_against_torch(n):
    code, means, logvars, normals = gaussians(n)
    mixture = distributions.MixtureSameFamily(
        distributions.Categorical(torch.ones(n)), distributions.Independent(normals, 1)
    )
    torch.testing.assert_close(mixture_log_normal(code, means, logvars), mixture.log_prob(code))


def test_the_composite_prior_against_torch():
    """3/20 N(0, 1) + 3/4 N(mean, variance) + 1/10 N(0, exp 10), dimension by dimension."""
    code, mean, logvar, _ = gaussians()
    mean, logvar = mean.expand(6, 4), logvar.expand(6, 4)
    zero = torch.zeros(6, 4)
    means = torch.stack([zero, mean, zero], dim=-1)
    deviations = torch.stack([zero, 0.5 * logvar, zero + 5], dim=-1).exp()
    weights = distributions.Categorical(torch.tensor([0.15, 0.75, 0.10]))
    mixture = distributions.MixtureSameFamily(weights, distributions.Normal(means, deviations))
    torch.testing.assert_close(composite_log_prior(code, mean, logvar), mixture.log_prob(code))


def test_the_sampled_kl_is_the_ratio_of_the_densities_summed_over_the_latent():
    code, mean, logvar, posterior = gaussians()
    previous = mean.expand(6, 4) + 1, logvar.expand(6, 4) - 1
    ratio = posterior.log_prob(code) - composite_log_prior(code, *previous)
    found = sampled_composite_kl(code, mean.expand(6, 4), logvar.expand(6, 4), previous)
    torch.testing.assert_close(found, ratio.sum(dim=1))
