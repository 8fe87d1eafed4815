"""Pooling: models that score in different units, made comparable as distributions over items.

Log-probabilities can be added: the sum is the logarithmic pool of the models, a product of experts
(Hinton, "Training Products of Experts by Minimizing Contrastive Divergence", 2002).
"""

import torch

from recvae.engine.batch import Batch


def log_proportions(scores: torch.Tensor, seen: Batch) -> torch.Tensor:
    """Log of what share each item has in a user's positive scores, mixed evenly with the uniform.

    The mix keeps an item that one model gives nothing from being ruled out by it.

    Args:
        scores: [users, items], 0 where a model expects nothing.
        seen: the users' histories, whose items have no part in the sum that is shared, and count
            as all of it at most.

    Returns:
        [users, items].
    """
    positive = scores.clamp(min=0)
    unseen = positive.index_put((seen.rows, seen.columns), positive.new_zeros(()))
    total = unseen.sum(dim=1, keepdim=True).clamp(min=torch.finfo(scores.dtype).tiny)
    return ((positive / total).clamp(max=1) + 1 / scores.shape[1]).log()
