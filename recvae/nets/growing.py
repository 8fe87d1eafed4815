"""Growing: a net of more items, from one that was trained on fewer."""

import numpy as np
import scipy.sparse as sp
import torch

from recvae.nets.base import Net


def grow(known: Net, net: Net, histories: sp.csr_matrix, kept: float) -> None:
    """Set the parameters of a net to those of one that knows only its first items.

    It begins a part of the way back to where nets begin (Ash & Adams, "On Warm-Starting Neural
    Network Training", NeurIPS 2020): see docs/updates.md. What belongs to a new item becomes the
    mean of what belongs to the known ones, weighed by how many users they share with it. An item
    that shares none keeps what was drawn.

    Args:
        known: the trained net, which is not changed.
        net: the new one, initialized.
        histories: CSR [users, items] of the new net's items.
        kept: how much of the trained weights is kept; the rest is of the drawn ones.
    """
    n_known = len(known.last_layer()[1])
    news = histories[:, n_known:]
    shared = (news.T @ histories[:, :n_known]).tocsr()
    totals = np.asarray(shared.sum(axis=1)).ravel()
    means = sp.diags(1 / np.maximum(totals, 1)) @ shared
    trained, is_like = dict(known.named_parameters()), torch.from_numpy(totals > 0)
    for name, weights in net.named_parameters():
        drawn = weights.detach().clone()
        _fill(weights.data, trained[name].data.cpu(), means, is_like)
        weights.data.lerp_(drawn, 1 - kept)


def _fill(
    weights: torch.Tensor, known: torch.Tensor, means: sp.csr_matrix, is_like: torch.Tensor
) -> None:
    """Fill in weights of all items; along the axis of the items, `known` ones may be shorter."""
    if weights.shape == known.shape:
        weights.copy_(known)
        return
    axis = next(n for n, size in enumerate(known.shape) if size != weights.shape[n])
    by_item, known = weights.movedim(axis, 0), known.movedim(axis, 0)
    by_item[: len(known)] = known
    news = torch.from_numpy(means @ known.numpy()).to(weights.dtype)
    by_item[len(known) :][is_like] = news[is_like]
