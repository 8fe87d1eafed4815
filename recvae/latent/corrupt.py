"""Corrupt: removes items from histories, or adds items that are not the user's."""

import numpy as np
import scipy.sparse as sp
import torch

from recvae.data.interactions import Interactions
from recvae.data.matrices import as_csr, rank_in_rows
from recvae.errors import DataError, OptionError
from recvae.latent.draw import draw_histories
from recvae.models.contract.inputs import as_input

MOST = np.finfo(np.float32).max
"""The highest weight that an item may have in a draw."""


def drop(histories: sp.csr_matrix, rate: float, *, seed: int = 0) -> sp.csr_matrix:
    """Remove a random part of each history.

    Args:
        histories: CSR [users, items].
        rate: of n items, int(rate * n) are removed; from 0, and below 1.
        seed: decides which items are removed.

    Returns:
        CSR float32 [users, items], the remaining weights unchanged.

    Raises:
        OptionError: the rate is out of range.
    """
    histories = as_csr(histories)
    random = np.random.default_rng(seed).random(histories.nnz)
    return remove_highest(histories, random, rate)


def remove_highest(histories: sp.csr_matrix, values: np.ndarray, rate: float) -> sp.csr_matrix:
    """Remove int(rate * n) of the n items of each history, those with the highest values [nnz].

    Raises:
        OptionError: the rate is out of range.
    """
    data, lengths = Interactions.from_matrix(histories), histories.getnnz(axis=1)
    left = lengths - (_checked(rate) * lengths).astype(np.int64)
    return data.keep(rank_in_rows(data.matrix, values) < left[data.rows]).matrix


def add_noise(
    histories: sp.csr_matrix,
    rate: float,
    *,
    popularity: np.ndarray | None = None,
    deny: sp.csr_matrix | None = None,
    seed: int = 0,
) -> sp.csr_matrix:
    """Add random items to each history that are not the user's.

    Args:
        histories: CSR [users, items], weights not read.
        rate: the fraction of added items in the result, rounded; from 0, and below 1.
        popularity: [items], items are drawn in proportion to it; None draws all equally often.
        deny: CSR [users, items], other items that are the user's, such as held-out ones.
        seed: decides which items are added.

    Returns:
        CSR float32 [users, items] of ones; with fewer added items where there are not enough.

    Raises:
        DataError: popularity or deny is not of these items and users, or out of range.
        OptionError: the rate is out of range.
    """
    histories = as_csr(histories)
    n_items = histories.shape[1]
    weights = np.ones(n_items) if popularity is None else np.asarray(popularity)
    if weights.shape != (n_items,) or not ((weights >= 0) & (weights <= MOST)).all():
        raise DataError(
            f"popularity must be a number for each of {n_items} items, finite and not negative."
        )
    if deny is not None and deny.shape != histories.shape:
        raise DataError(f"deny is {deny.shape}, the histories {histories.shape}: give a row each.")
    own = histories if deny is None else histories + as_csr(deny)
    known = (own > 0).astype(np.float32)
    left = np.count_nonzero(weights) - known @ (weights > 0)
    wanted = np.round(histories.getnnz(axis=1) * _checked(rate) / (1 - rate))

    def log_weights(block: slice) -> torch.Tensor:
        foreign = weights * (known[block].toarray() == 0)
        return torch.from_numpy(foreign.astype(np.float32)).log_()

    lengths = np.minimum(wanted, left).astype(np.int64)
    foreign = draw_histories(log_weights, lengths, n_items, np.random.default_rng(seed))
    return as_input((histories + foreign).tocsr())


def _checked(rate: float) -> float:
    if 0 <= rate < 1:
        return rate
    raise OptionError(f"rate={rate} must be from 0, and below 1.")
