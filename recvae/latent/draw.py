"""Draw: random histories without replacement, by weights of the items.

By the Gumbel top-k trick (Kool et al., "Stochastic Beams and Where to Find Them", ICML 2019): the
items with the n largest log-weights plus Gumbel noise are n items drawn one after another, each in
proportion to the weights of the items that were not drawn yet.
"""

from collections.abc import Callable
from typing import TypeAlias

import numpy as np
import scipy.sparse as sp
import torch

from recvae.data.matrices import of_ones
from recvae.ranking.blocks import user_blocks

TINY = torch.finfo(torch.float32).tiny

LogWeights: TypeAlias = Callable[[slice], torch.Tensor]
"""A block of users -> their log-weights [b, items], up to a constant for each user.

-inf means that the item is never drawn, inf that it always is."""


def draw_histories(
    log_weights: LogWeights, lengths: np.ndarray, n_items: int, rng: np.random.Generator
) -> sp.csr_matrix:
    """Draw items for each user, a block of users at a time: CSR float32 [users, items] of ones.

    `lengths`, int [users], says how many: from 0 to as many as have a weight.
    """
    blocks = user_blocks(len(lengths), n_items)
    drawn = [_draw(log_weights(block), lengths[block], rng) for block in blocks]
    columns = np.concatenate([*drawn, np.empty(0, dtype=np.int64)])
    return of_ones(columns, lengths, n_items)


def _draw(log_weights: torch.Tensor, lengths: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """The drawn columns of all users of a block, one user after another, in one array."""
    # Minus the log of an exponential variable is Gumbel noise. Of log-weights plus Gumbel noise the
    # n largest are n draws without replacement; all users draw as many as the longest needs.
    exponential = torch.from_numpy(rng.standard_exponential(log_weights.shape, dtype=np.float32))
    keys = log_weights.cpu() - exponential.clamp_(min=TINY).log()
    columns = keys.topk(int(lengths.max()), dim=1).indices.numpy()
    # Each user keeps the first of theirs.
    return columns[np.arange(columns.shape[1]) < lengths[:, None]]
