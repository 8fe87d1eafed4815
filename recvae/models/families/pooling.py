"""Pooling: makes scores of different models comparable, as log-probabilities of the items.

Log-probabilities can be added: the sum is the logarithmic pool of the models, a product of experts
(Hinton, "Training Products of Experts by Minimizing Contrastive Divergence", 2002).
"""

import torch

from recvae.engine.batch import Batch


def log_proportions(scores: torch.Tensor, seen: Batch) -> torch.Tensor:
    """Turn scores into log-proportions: log(score / sum of the user's scores + 1 / n_items).

    Negative scores count as 0. Because of 1 / n_items, an item that one model scores 0 can still be
    recommended by the others.

    Args:
        scores: [users, items], 0 where a model expects nothing.
        seen: the users' histories. Their items are not in the sum, so that their own proportions
            could exceed 1; they are cut off there.

    Returns:
        [users, items].
    """
    positive = scores.clamp(min=0)
    unseen = positive.index_put((seen.rows, seen.columns), positive.new_zeros(()))
    total = unseen.sum(dim=1, keepdim=True).clamp(min=torch.finfo(scores.dtype).tiny)
    return ((positive / total).clamp(max=1) + 1 / scores.shape[1]).log()
