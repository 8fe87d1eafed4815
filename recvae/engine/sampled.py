"""The multinomial log-likelihood over a sample of a large catalogue (sampled softmax).

All items of the batch are in it, so the popular ones are. Of the other items there is a uniform
sample, and each sampled item counts for n_others / n_sampled items, so that the sum in the softmax
is right on average (Bengio & Senécal, "Quick Training of Probabilistic Neural Nets by Importance
Sampling", AISTATS 2003). If all other items are sampled, the likelihood is exact.
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
        n_sampled: how many items to sample beside those of the batch, at most.
        generator: draws the sample.

    Returns:
        Weights, biases and targets of the chosen items, as the likelihood takes them. The bias of a
        sampled item is greater by the logarithm of the number of items that it counts for.
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
    """Draw distinct items that are not present, all of them equally likely.

    The generator always gives `n_sampled` numbers, whatever is present. So the generators of tensor
    parallel processes, which have different items, stay in the same state.

    Args:
        present: int64, ascending.
        n_items: number of items in the catalogue.
        n_sampled: number of draws; items drawn twice count once. With as many draws as there are
            other items, or more, all of them are taken.
        generator: makes the draws.

    Returns:
        int64, ascending: the sampled items.
    """
    n_others = n_items - len(present)
    draws = torch.randint(2**62, (n_sampled,), generator=generator, device=present.device)
    if n_sampled >= n_others:
        ranks = torch.arange(n_others, device=present.device)
    else:
        ranks = torch.unique(draws % n_others)
    # From ranks among the other items to items: before present[i] there are present[i] - i others,
    # so a rank moves up by the number of present items that come before it.
    before = present - torch.arange(len(present), device=present.device)
    return ranks + torch.searchsorted(before, ranks, right=True)
