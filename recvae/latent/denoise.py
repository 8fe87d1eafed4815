"""Denoise and impute: removes items that a model does not expect, adds items that it does."""

import numpy as np
import scipy.sparse as sp
import torch

from recvae.data.matrices import of_ones
from recvae.engine.batch import Batch
from recvae.latent.corrupt import remove_highest
from recvae.models.contract.abilities import Ability
from recvae.models.contract.inputs import as_input
from recvae.models.contract.recommender import Recommender
from recvae.ranking.blocks import block_users, in_blocks


def surprisal(model: Recommender, histories: sp.csr_matrix) -> sp.csr_matrix:
    """How unlikely the model finds each item of a history after reading all of it, in nats.

    The negative log-probability of the item in one draw, given the mean of the history's code. So
    unpopular items are less likely than popular ones.

    Args:
        model: a fitted autoencoder of multinomial likelihood, or an ensemble.
        histories: CSR [users, items], weights not read.

    Returns:
        CSR float32 [users, items], with an entry for each entry of the histories.

    Raises:
        DataError: the histories do not have the training items as columns.
        OptionError: the model's scores are no log-probabilities.
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
    """Remove the items of each history that the model finds least likely (see `surprisal`).

    Args:
        model: see `surprisal`.
        histories: CSR [users, items].
        rate: of n items, int(rate * n) are removed; from 0, and below 1.

    Returns:
        CSR float32 [users, items], the remaining weights unchanged. Recommend for it with
        `deny=histories`, so that removed items are not recommended.

    Raises:
        DataError: the histories do not have the training items as columns.
        OptionError: the rate is out of range, or the model's scores are no log-probabilities.
    """
    return remove_highest(model.checked(histories), surprisal(model, histories).data, rate)


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
