"""Pooling: makes scores of different models comparable, as log-probabilities of the items.

Log-probabilities can be added: the sum is the logarithmic pool of the models, a product of experts
(Hinton, "Training Products of Experts by Minimizing Contrastive Divergence", 2002).
"""

from functools import partial, reduce
from math import log
from operator import add

import numpy as np
import scipy.sparse as sp
import torch

from recvae.data.matrices import rows_of, with_weights
from recvae.engine.batch import Batch
from recvae.engine.threads import a_part_each, in_threads
from recvae.models.contract import Ability, Recommender
from recvae.ranking.shortlist import Products


def has_log_probabilities(model: Recommender) -> bool:
    """Whether a model's scores are log-probabilities of the items."""
    return model.why_not(Ability.LOG_PROBABILITIES) is None


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


def sparse_log_proportions(scores: sp.csr_matrix, seen: sp.csr_matrix) -> sp.csr_matrix:
    """What the log-proportions of sparse scores have above those of an item with a score of 0.

    Args:
        scores: CSR [users, items] without duplicates.
        seen: CSR [users, items], the users' histories.

    Returns:
        CSR [users, items]: plus log(1 / n_items), it is `log_proportions` of the dense scores.
    """
    rows, own = rows_of(scores), np.zeros(scores.shape, bool)
    own[rows_of(seen), seen.indices] = True
    positive = scores.data.clip(0)
    unseen = np.bincount(rows, positive * ~own[rows, scores.indices], minlength=len(own))
    proportions = positive / unseen.clip(np.finfo(positive.dtype).tiny).astype(positive.dtype)[rows]
    return with_weights(scores, np.log1p(proportions.clip(max=1) * scores.shape[1]))


def pooled_products(votes: dict[Recommender, int], n_items: int) -> Products | None:
    """The sum of the log-probabilities of models, as inner products of vectors side by side.

    Args:
        votes: how often each model's are added.
        n_items: how many items there are.

    Returns:
        None unless the log-probabilities are inner products, of one model or more, or sparse.
    """
    likely = {one: n for one, n in votes.items() if has_log_probabilities(one)}
    dense = {one: n for one, n in likely.items() if one.why_not(Ability.VECTORS) is None}
    sparse = {one: n for one, n in votes.items() if one.why_not(Ability.SPARSE_SCORES) is None}
    if not dense or len(dense) + len(sparse) < len(votes):
        return None
    weights, biases = zip(*(one.last_layer() for one in dense), strict=True)
    bias = torch.stack([n * bias for n, bias in zip(dense.values(), biases, strict=True)]).sum(0)

    def users(histories: sp.csr_matrix, _: np.ndarray | None) -> torch.Tensor:
        return torch.cat([n * one.user_vectors(histories) for one, n in dense.items()], dim=1)

    # Sparse scores that are 0 add log(1 / n_items) each; what others are above that comes for a
    # block of users.
    unscored = sum(sparse.values()) * log(n_items)
    extra = partial(_above_unscored, sparse) if sparse else None
    return Products(users, torch.cat(weights, dim=1), bias - unscored, extra)


def _above_unscored(votes: dict[Recommender, int], histories: sp.csr_matrix) -> sp.csr_matrix:
    def summed(users: slice) -> sp.csr_matrix:
        block = histories[users]
        parts = (
            n * sparse_log_proportions(one.sparse_scores(block), block) for one, n in votes.items()
        )
        return reduce(add, parts)

    return sp.vstack([*in_threads(summed, a_part_each(histories.shape[0]))], format="csr")
