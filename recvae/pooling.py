"""Pooling: models that score in different units, made comparable as distributions over items.

Log-probabilities can be added: the sum is the logarithmic pool of the models, a product of experts
(Hinton, "Training Products of Experts by Minimizing Contrastive Divergence", 2002).
"""

import torch

from recvae.batches import Batch


def log_shares(scores: torch.Tensor, seen: Batch) -> torch.Tensor:
    """Log of what share each item has in a user's positive scores, mixed evenly with the uniform.

    The mix keeps an item that one model gives nothing from being ruled out by it.

    Args:
        scores: [users, items], 0 where a model expects nothing.
        seen: the users' histories, whose items have no part in the sum that is shared.

    Returns:
        [users, items].
    """
    positive = scores.clamp(min=0)
    total = positive.sum(dim=1) - positive.new_zeros(len(seen)).index_add(
        0, seen.rows, positive[seen.rows, seen.columns]
    )
    smallest = torch.finfo(scores.dtype).tiny
    return (positive / total.clamp(min=smallest)[:, None] + 1 / scores.shape[1]).log()
