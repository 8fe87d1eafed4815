"""Anomaly: how odd each user's history is, by what a model of all users makes of it."""

import numpy as np
import pandas as pd
import scipy.sparse as sp
import torch

from recvae.blocks import block_users, in_blocks
from recvae.engine.batch import Batch
from recvae.engine.objectives import gaussian_kl, without
from recvae.interactions import Interactions
from recvae.latent.models import Coder, likely
from recvae.latent.nats import entry_nats
from recvae.latent.places import places
from recvae.models.base import Recommender
from recvae.models.inputs import as_input


def oddity(model: Recommender, histories: sp.csr_matrix, *, seed: int = 0) -> pd.DataFrame:
    """How badly the items of a user's history predict one another, in nats: the more, the odder.

    Each half of a history is predicted from the other. A false user can hide behind items that
    everybody has, but not the rest of the items, which have nothing to do with these: so the score
    is the mean over the half of the items that are the least expected.

    Args:
        model: a fitted autoencoder of multinomial likelihood, or an Ensemble.
        histories: CSR [users, items], weights not read; may be those that it was trained on.
        seed: halves the histories.

    Returns:
        A line per user: `score`; `surprise`, the mean over all items; `kl`, the divergence of the
        whole history's code from N(0, I) for an item of it (0 for a model without variance);
        `length`, the number of items. NaN for empty histories.

    Raises:
        DataError: the histories do not have the training items as columns.
        OptionError: the model's scores are no log-probabilities.
    """
    coder = likely(model)
    data = Interactions.of(as_input(coder.checked(histories)))
    lengths = np.diff(data.matrix.indptr)
    nats = _cross_nats(coder, data, np.random.default_rng(seed))
    odd = places(-nats, data) < (lengths[data.rows] + 1) // 2
    return pd.DataFrame(
        {
            "score": _means(nats, data, odd),
            "surprise": _means(nats, data, np.ones_like(odd)),
            "kl": _kl(coder, data.matrix) / np.where(lengths > 0, lengths, np.nan),
            "length": lengths,
        }
    )


def _cross_nats(model: Coder, data: Interactions, rng: np.random.Generator) -> np.ndarray:
    """Negative log-likelihood of each entry, predicted from the other half of its row: [nnz]."""
    half = places(rng.random(data.matrix.nnz), data) % 2 == 0
    nats = np.empty(data.matrix.nnz, dtype=np.float32)
    for left in (half, ~half):
        nats[left] = _nats(model, data.keep(~left).matrix, data.keep(left).matrix)
    return nats


def _nats(model: Coder, kept: sp.csr_matrix, left: sp.csr_matrix) -> np.ndarray:
    """Negative log-likelihood of each entry of what is left, among all items that are not kept."""
    parts = (in_blocks(part, block_users(kept.shape[1])) for part in (kept, left))
    nats = [_block_nats(model, *blocks) for blocks in zip(*parts, strict=True)]
    return np.concatenate([*nats, np.empty(0, dtype=np.float32)])


def _block_nats(model: Coder, kept: sp.csr_matrix, left: sp.csr_matrix) -> np.ndarray:
    scores = model.score(kept)
    return entry_nats(without(scores, Batch.of(kept, scores.device)), left)


def _kl(model: Coder, histories: sp.csr_matrix) -> np.ndarray:
    mean, logvar = (torch.from_numpy(part) for part in model.encode(histories))
    return gaussian_kl(mean, logvar).nan_to_num(posinf=0.0).numpy()


def _means(values: np.ndarray, data: Interactions, chosen: np.ndarray) -> np.ndarray:
    """The mean of the chosen entries of each row; NaN where there is none."""
    rows, n_users = data.rows[chosen], data.shape[0]
    counts = np.bincount(rows, minlength=n_users)
    return np.bincount(rows, values[chosen], n_users) / np.where(counts > 0, counts, np.nan)
