"""The multinomial log-likelihood over a part of a large catalogue.

The items of the batch, which hold all that is famous, are all there. Of the others a sample is,
and each counts for as many as there are to one sampled: the sum that normalizes is right on
average (Bengio & Senécal, "Quick Training of Probabilistic Neural Nets by Importance Sampling",
AISTATS 2003). If the sample is everything, so is the likelihood.
"""

from dataclasses import replace
from math import log

import torch

from recvae.engine.batch import Batch
from recvae.engine.sparse import take


def choose(
    weight: torch.Tensor,
    bias: torch.Tensor,
    targets: Batch,
    n_sampled: int,
    generator: torch.Generator,
) -> tuple[torch.Tensor, torch.Tensor, Batch]:
    """Choose the batch's items and a sample of others.

    Args:
        weight: float32 [items, width].
        bias: float32 [items].
        targets: counts, [users, items].
        n_sampled: items to sample beside those of the batch, at most.
        generator: draws the sample.

    Returns:
        Weights, biases and targets of those items alone, as the likelihood takes them: a bias is
        greater by the logarithm of how many items one stands for.
    """
    present, columns = torch.unique(targets.columns, return_inverse=True)
    others = sample_others(present, targets.n_items, n_sampled, generator)
    n_others = targets.n_items - len(present)
    items, order = torch.cat([present, others]).sort()
    chosen = replace(targets, columns=order.argsort()[columns], n_items=len(items))
    for_each = log(n_others / len(others)) if len(others) else 0.0
    offsets = bias[items] + for_each * (order >= len(present))
    return take(weight, items), offsets, chosen


def sample_others(
    present: torch.Tensor, n_items: int, n_sampled: int, generator: torch.Generator
) -> torch.Tensor:
    """Draw items, each of those that are not present as likely as any other, none twice.

    The generator gives as many numbers whatever is present, so that processes that share the items,
    each with others of its own, stay in step.

    Args:
        present: int64, ascending.
        n_items: in the catalogue.
        n_sampled: draws; those that come twice count once. As many as there are: all of them.
        generator: draws.
    """
    n_others = n_items - len(present)
    draws = torch.randint(2**62, (n_sampled,), generator=generator, device=present.device)
    if n_sampled >= n_others:
        ranks = torch.arange(n_others, device=present.device)
    else:
        ranks = torch.unique(draws % n_others)
    before = present - torch.arange(len(present), device=present.device)
    return ranks + torch.searchsorted(before, ranks, right=True)
