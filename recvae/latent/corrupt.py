"""Corrupt: histories with items left out, or with items that are not the user's."""

import numpy as np
import scipy.sparse as sp
import torch

from recvae.data.interactions import as_csr
from recvae.errors import DataError, OptionError
from recvae.latent.draw import draw_histories

MOST = np.finfo(np.float32).max
"""What an item may weigh in a draw."""


def drop(histories: sp.csr_matrix, rate: float, *, seed: int = 0) -> sp.csr_matrix:
    """Leave out a part of each history, drawn at random.

    Args:
        histories: CSR [users, items].
        rate: of n items int(rate * n) are left out; from 0, and below 1.
        seed: decides which.

    Returns:
        CSR float32 [users, items], the weights as they were.

    Raises:
        OptionError: the rate is out of range.
    """
    histories = as_csr(histories)
    drawn = draw_histories(
        lambda block: _log(histories[block].toarray() > 0),
        lengths_left(histories, rate),
        histories.shape[1],
        np.random.default_rng(seed),
    )
    return histories.multiply(drawn).tocsr()


def lengths_left(histories: sp.csr_matrix, rate: float) -> np.ndarray:
    """How long each history is without a part of it, rounded up: int64 [users].

    Raises:
        OptionError: the rate is out of range.
    """
    lengths = np.diff(histories.indptr)
    return lengths - (_checked(rate) * lengths).astype(np.int64)


def add_noise(
    histories: sp.csr_matrix,
    rate: float,
    *,
    popularity: np.ndarray | None = None,
    deny: sp.csr_matrix | None = None,
    seed: int = 0,
) -> sp.csr_matrix:
    """Mix items into each history that are not the user's, drawn at random.

    Args:
        histories: CSR [users, items], weights not read.
        rate: of the items of the result that are foreign, rounded; from 0, and below 1.
        popularity: [items], in proportion to what items are drawn; None: all alike.
        deny: CSR [users, items], what else is the user's, such as what is held out.
        seed: decides which.

    Returns:
        CSR float32 [users, items] of ones; all that there is, where less is left than asked for.

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
    foreign = _foreign(own, weights, np.diff(histories.indptr), _checked(rate), seed)
    polluted = histories + foreign
    polluted.data[:] = 1
    return polluted


def _foreign(
    own: sp.csr_matrix, weights: np.ndarray, lengths: np.ndarray, rate: float, seed: int
) -> sp.csr_matrix:
    """So many items that are not the user's that they make up a rate with so many others."""
    known = (own > 0).astype(np.float32)
    left = np.count_nonzero(weights) - known @ (weights > 0)
    wanted = np.round(lengths * rate / (1 - rate)).astype(np.int64)
    return draw_histories(
        lambda block: _log(weights * (known[block].toarray() == 0)),
        np.minimum(wanted, left).astype(np.int64),
        own.shape[1],
        np.random.default_rng(seed),
    )


def _log(weights: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(weights.astype(np.float32)).log_()


def _checked(rate: float) -> float:
    if 0 <= rate < 1:
        return rate
    raise OptionError(f"rate={rate} must be from 0, and below 1.")
