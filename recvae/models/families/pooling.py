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
    # In place wherever it can be: the matrix is large, and each pass over new memory costs.
    proportions, own = scores.clamp(min=0), (seen.rows, seen.columns)
    seen_scores = proportions[own]
    unseen = proportions.index_put_(own, scores.new_zeros(())).sum(dim=1, keepdim=True)
    proportions.index_put_(own, seen_scores)
    proportions.div_(unseen.clamp(min=torch.finfo(scores.dtype).tiny)).clamp_(max=1)
    return proportions.add_(1 / scores.shape[1]).log_()
