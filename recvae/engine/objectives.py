"""Objectives: log-likelihoods of sparse rows and KL terms, as pure functions; a value per user.

Constants that depend on the data alone (the multinomial coefficient, the Gaussian's normalizer)
are omitted: they have no gradient.
"""

import math
from collections.abc import Callable
from typing import Literal, TypeAlias

import torch
from torch.nn.functional import softplus

from recvae.engine.batch import Batch

Likelihood: TypeAlias = Literal["multinomial", "bernoulli", "gaussian"]

GAUSSIAN_CONFIDENCE = 10.0

COMPOSITE_WEIGHTS = (3 / 20, 3 / 4, 1 / 10)
WIDE_LOGVAR = 10.0

IMPOSSIBLE = -1e9
"""The logit of an impossible item: finite, so that gradients stay finite."""


def multinomial_log_likelihood(logits: torch.Tensor, targets: Batch) -> torch.Tensor:
    """Log-likelihood of the counts x under softmax probabilities (Liang et al., 2018, eq. 2).

    sum_i x_i log softmax(logits)_i

    Args:
        logits: [users, items].
        targets: counts, the same users and items.

    Returns:
        [users], summed over the items.
    """
    return targets.inner(logits) - targets.sum(targets.values) * logits.logsumexp(dim=1)


def without(logits: torch.Tensor, known: Batch) -> torch.Tensor:
    """Logits [users, items] in which the items of `known` have become impossible."""
    return logits.index_put((known.rows, known.columns), logits.new_tensor(IMPOSSIBLE))


def bernoulli_log_likelihood(logits: torch.Tensor, targets: Batch) -> torch.Tensor:
    """Log-likelihood of 0/1 targets under independent logistic probabilities (ibid., eq. 4).

    sum_i x_i log sigmoid(logits)_i + (1 - x_i) log(1 - sigmoid(logits)_i)
    """
    return targets.inner(logits) - softplus(logits).sum(dim=1)


def gaussian_log_likelihood(outputs: torch.Tensor, targets: Batch) -> torch.Tensor:
    """Log-likelihood under Gaussians of unit variance, observed entries weighted (ibid., eq. 3).

    -1/2 sum_i c_i (x_i - outputs_i)^2, with c_i = 10 where x_i > 0 and 1 elsewhere.
    """
    observed = outputs[targets.rows, targets.columns]
    extra = GAUSSIAN_CONFIDENCE * (targets.values - observed).square() - observed.square()
    return -0.5 * (outputs.square().sum(dim=1) + targets.sum(extra))


def gaussian_kl(mean: torch.Tensor, logvar: torch.Tensor) -> torch.Tensor:
    """KL divergence of N(mean, exp(logvar)) from N(0, I) (Kingma & Welling, 2014, appendix B).

    Args:
        mean: [users, latent].
        logvar: [users, latent], the log of the variance.

    Returns:
        [users], summed over the latent dimensions.
    """
    return 0.5 * (mean.square() + logvar.exp() - logvar - 1).sum(dim=1)


def log_normal(code: torch.Tensor, mean: torch.Tensor, logvar: torch.Tensor) -> torch.Tensor:
    """Log-density of N(mean, exp(logvar)), for each dimension of each code."""
    return -0.5 * (math.log(2 * math.pi) + logvar + (code - mean).square() / logvar.exp())


def composite_log_prior(
    code: torch.Tensor, mean: torch.Tensor, logvar: torch.Tensor
) -> torch.Tensor:
    """Log-density of RecVAE's prior, for each dimension (Shenbin et al., 2020, section 3.3).

    A mixture of N(0, 1), of the posterior by the previous epoch's encoder, and of a wide
    N(0, exp(10)).

    Args:
        code: [users, latent].
        mean: [users, latent], of the previous encoder.
        logvar: [users, latent], of the previous encoder.
    """
    zero = torch.zeros_like(mean)
    standard, previous, wide = COMPOSITE_WEIGHTS
    parts = (
        math.log(standard) + log_normal(code, zero, zero),
        math.log(previous) + log_normal(code, mean, logvar),
        math.log(wide) + log_normal(code, zero, zero + WIDE_LOGVAR),
    )
    return torch.stack(parts).logsumexp(dim=0)


def sampled_composite_kl(
    code: torch.Tensor,
    mean: torch.Tensor,
    logvar: torch.Tensor,
    previous: tuple[torch.Tensor, torch.Tensor],
) -> torch.Tensor:
    """The KL divergence from RecVAE's prior, estimated by a single draw of the code.

    Args:
        code: [users, latent], drawn from N(mean, exp(logvar)).
        mean: [users, latent].
        logvar: [users, latent].
        previous: the mean and log-variance by the previous encoder, [users, latent] each.

    Returns:
        [users], summed over the latent dimensions.
    """
    return (log_normal(code, mean, logvar) - composite_log_prior(code, *previous)).sum(dim=1)


def mixture_log_normal(
    code: torch.Tensor, means: torch.Tensor, logvars: torch.Tensor
) -> torch.Tensor:
    """Log-density of an even mixture of Gaussians: log 1/K sum_k N(code; mean_k, exp(logvar_k)).

    With the posteriors of pseudo-inputs as components it is the VampPrior's (Tomczak & Welling,
    "VAE with a VampPrior", AISTATS 2018, eq. 9). The squares are expanded, so that memory grows
    with users x components, not with users x components x latent.

    Args:
        code: [users, latent].
        means: [components, latent].
        logvars: [components, latent], the log of the variances.

    Returns:
        [users], summed over the latent dimensions.
    """
    # |z - m|^2 / v = z^2 / v - 2 z m / v + m^2 / v as matrix products. Both are first shifted by
    # the same center, since the difference of large squares would lose digits.
    center = means.detach().mean(dim=0)
    code, means, precisions = code - center, means - center, (-logvars).exp()
    squares = code.square() @ precisions.T - 2 * code @ (means * precisions).T
    constants = (means.square() * precisions + logvars + math.log(2 * math.pi)).sum(dim=1)
    return (-0.5 * (squares + constants)).logsumexp(dim=1) - math.log(len(means))


LOG_LIKELIHOODS: dict[Likelihood, Callable[[torch.Tensor, Batch], torch.Tensor]] = {
    "multinomial": multinomial_log_likelihood,
    "bernoulli": bernoulli_log_likelihood,
    "gaussian": gaussian_log_likelihood,
}
