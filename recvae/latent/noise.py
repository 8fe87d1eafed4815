"""Noise in histories: adds and drops items at random, or by what a model expects."""

import numpy as np
import scipy.sparse as sp
import torch

from recvae.data.interactions import Interactions
from recvae.data.matrices import as_csr, of_ones, rank_in_rows
from recvae.engine.batch import Batch
from recvae.errors import DataError, OptionError
from recvae.latent.draw import draw_histories
from recvae.models.contract.abilities import Ability
from recvae.models.contract.inputs import as_input
from recvae.models.contract.recommender import Recommender
from recvae.ranking.blocks import block_users, in_blocks

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
    return _without_highest(histories, np.random.default_rng(seed).random(histories.nnz), rate)


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


def surprisal(model: Recommender, histories: sp.csr_matrix) -> sp.csr_matrix:
    """How unlikely the model finds each item of a history after reading all of it, in nats.

    The negative log-probability of the item in one draw, given the mean of the history's code. So
    unpopular items are less likely than popular ones.

    Args:
        model: a fitted autoencoder of multinomial likelihood, or an ensemble.
        histories: CSR [users, items], weights not read.

    Returns:
        CSR float32 [users, items], with an entry for each entry of the histories.
    """
    model.require(Ability.LOG_PROBABILITIES)
    histories = as_input(model.checked(histories))
    blocks = in_blocks(histories, block_users(histories.shape[1]))
    nats = [entry_nats(model.score(block), block) for block in blocks]
    histories.data = np.concatenate([*nats, np.zeros(0, dtype=np.float32)])
    return histories


def entry_nats(scores: torch.Tensor, histories: sp.csr_matrix) -> np.ndarray:
    """The negative log-probability of each entry of CSR histories [users, items]: float32 [nnz].

    The scores are log-probabilities [users, items], up to a constant for each user.
    """
    batch = Batch.of(histories, scores.device)
    nats = scores.logsumexp(dim=1)[batch.rows] - scores[batch.rows, batch.columns]
    return nats.cpu().numpy()


def denoise(model: Recommender, histories: sp.csr_matrix, rate: float = 0.1) -> sp.csr_matrix:
    """Remove the items of each history that the model finds least likely.

    Recommend for the result with `deny=histories`, so that removed items are not recommended.

    Args:
        model: see `surprisal`.
        histories: CSR [users, items].
        rate: see `drop`.

    Returns:
        CSR float32 [users, items], the remaining weights unchanged.

    Raises:
        OptionError: see `drop`.
    """
    return _without_highest(model.checked(histories), surprisal(model, histories).data, rate)


def impute(model: Recommender, histories: sp.csr_matrix, n: int = 10) -> sp.csr_matrix:
    """Add the n items to each history that the model recommends most.

    Args:
        model: any fitted model that serves new users.
        histories: CSR [users, items].
        n: how many items to add, from 1 to the number of items; fewer where a user lacks fewer.

    Returns:
        CSR float32 [users, items] of ones.

    Raises:
        DataError, FoldInError, OptionError: see `Recommender.recommend`.
    """
    histories = model.checked(histories)
    ids, _ = model.recommend(histories, n)
    added = of_ones(ids[ids >= 0], (ids >= 0).sum(axis=1), histories.shape[1])
    return as_input((histories + added).tocsr())


def _without_highest(histories: sp.csr_matrix, values: np.ndarray, rate: float) -> sp.csr_matrix:
    """Remove int(rate * n) of the n items of each history, those with the highest values [nnz]."""
    data, lengths = Interactions.from_matrix(histories), histories.getnnz(axis=1)
    left = lengths - (_checked(rate) * lengths).astype(np.int64)
    return data.keep(rank_in_rows(data.matrix, values) < left[data.rows]).matrix


def _checked(rate: float) -> float:
    if 0 <= rate < 1:
        return rate
    raise OptionError(f"rate={rate} must be from 0, and below 1.")
