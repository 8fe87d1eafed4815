"""Anomaly: scores how unusual each user's history is, by a model of all users."""

import numpy as np
import pandas as pd
import scipy.sparse as sp
import torch

from recvae.data.interactions import Interactions
from recvae.data.matrices import rank_in_rows
from recvae.engine.batch import Batch
from recvae.engine.objectives import gaussian_kl, without
from recvae.latent.noise import entry_nats
from recvae.models.contract.abilities import Ability
from recvae.models.contract.inputs import as_input
from recvae.models.contract.recommender import Recommender
from recvae.ranking.blocks import user_blocks


def anomaly_scores(model: Recommender, histories: sp.csr_matrix, *, seed: int = 0) -> pd.DataFrame:
    """Score how badly the items of each history predict one another, in nats; high is anomalous.

    Each half of a history is predicted from the other half. A fake user can hide behind items that
    everybody has, but their other items have nothing to do with these. So the score is the mean
    over the half of the items that are the least expected.

    Args:
        model: a fitted autoencoder of multinomial likelihood, or an ensemble.
        histories: CSR [users, items], weights not read; they may be the training users.
        seed: decides how histories are cut into halves.

    Returns:
        A line per user: `score`; `surprisal`, the mean over all items; `kl`, the divergence of the
        whole history's code from N(0, I), divided by the number of items (0 for a model without
        variance); `length`, the number of items. NaN for empty histories.
    """
    model.require(Ability.LOG_PROBABILITIES)
    data = Interactions.from_matrix(as_input(model.checked(histories)))
    lengths = np.diff(data.matrix.indptr)
    nats = _cross_nats(model, data, np.random.default_rng(seed))
    odd = rank_in_rows(data.matrix, -nats) < (lengths[data.rows] + 1) // 2
    kl = gaussian_kl(*map(torch.from_numpy, model.encode(data.matrix))).nan_to_num(posinf=0.0)
    return pd.DataFrame(
        {
            "score": _means(nats, data, odd),
            "surprisal": _means(nats, data, np.ones_like(odd)),
            "kl": kl.numpy() / np.where(lengths > 0, lengths, np.nan),
            "length": lengths,
        }
    )


def _cross_nats(model: Recommender, data: Interactions, rng: np.random.Generator) -> np.ndarray:
    """Negative log-probability of each entry, predicted from the other half of its row: [nnz]."""
    half = rank_in_rows(data.matrix, rng.random(data.matrix.nnz)) % 2 == 0
    nats = np.empty(data.matrix.nnz, dtype=np.float32)
    for is_hidden in (half, ~half):
        visible, hidden = data.keep(~is_hidden).matrix, data.keep(is_hidden).matrix
        parts = [np.empty(0, dtype=np.float32)]
        for block in user_blocks(*visible.shape):
            scores = model.score(visible[block])
            # The hidden items are among those that are not visible.
            unseen = without(scores, Batch.of(visible[block], scores.device))
            parts.append(entry_nats(unseen, hidden[block]))
        nats[is_hidden] = np.concatenate(parts)
    return nats


def _means(values: np.ndarray, data: Interactions, chosen: np.ndarray) -> np.ndarray:
    """The mean of the chosen entries of each row, [users]; NaN for a row without any."""
    rows, n_users = data.rows[chosen], data.shape[0]
    counts = np.bincount(rows, minlength=n_users)
    return np.bincount(rows, values[chosen], n_users) / np.where(counts > 0, counts, np.nan)
