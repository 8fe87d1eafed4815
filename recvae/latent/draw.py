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
    drawn = [np.empty(0, dtype=np.int64)]
    for block in user_blocks(len(lengths), n_items):
        weights = log_weights(block).cpu()
        # Minus the log of an exponential variable is Gumbel noise.
        exponential = torch.from_numpy(rng.standard_exponential(weights.shape, dtype=np.float32))
        keys = weights - exponential.clamp_(min=TINY).log()
        # All users draw as many as the longest needs; each keeps the first of theirs.
        columns = keys.topk(int(lengths[block].max()), dim=1).indices.numpy()
        drawn.append(columns[np.arange(columns.shape[1]) < lengths[block, None]])
    return of_ones(np.concatenate(drawn), lengths, n_items)
