"""Anomaly: how odd each user's history is, by what a model of all users makes of it."""

import numpy as np
import pandas as pd
import scipy.sparse as sp
import torch

from recvae.batches import Batch, in_blocks
from recvae.latent.models import Coder, likely
from recvae.models.base import Recommender
from recvae.models.inputs import as_input
from recvae.objectives import gaussian_kl, multinomial_log_likelihood
from recvae.ranking import block_users


def oddity(model: Recommender, histories: sp.csr_matrix) -> pd.DataFrame:
    """Nats that it takes to write down each item of a user's history: the more, the odder.

    The negative ELBO is the length of a code for the history, the KL term being what its code costs
    (Hinton & van Camp, "Keeping the Neural Networks Simple by Minimizing the Description Length",
    COLT 1993). Divided by the number of items, long and short histories can be compared.

    Args:
        model: a fitted autoencoder of multinomial likelihood, or an Ensemble.
        histories: CSR [users, items], weights not read.

    Returns:
        A line per user: `surprise`, the negative log-likelihood of an item given the mean of the
        code; `kl`, of the code from N(0, I), for an item (0 for a model without variance); `score`,
        their sum; `length`, the number of items. NaN for empty histories.

    Raises:
        DataError: the histories do not have the training items as columns.
        OptionError: the model's scores are no log-probabilities.
    """
    coder = likely(model)
    histories = as_input(coder.checked(histories))
    blocks = in_blocks(histories, block_users(histories.shape[1]))
    nats = np.concatenate([np.zeros((0, 2)), *(_nats(coder, block) for block in blocks)])
    lengths = np.diff(histories.indptr)
    surprise, kl = nats.T / np.where(lengths > 0, lengths, np.nan)
    return pd.DataFrame({"surprise": surprise, "kl": kl, "score": surprise + kl, "length": lengths})


def _nats(model: Coder, histories: sp.csr_matrix) -> np.ndarray:
    """Negative log-likelihood and KL divergence of whole histories: [users, 2]."""
    scores = model.score(histories)
    mean, logvar = (torch.from_numpy(part) for part in model.encode(histories))
    log_likelihood = multinomial_log_likelihood(scores, Batch.of(histories, scores.device))
    kl = gaussian_kl(mean, logvar).nan_to_num(posinf=0.0)
    return torch.stack([-log_likelihood.cpu(), kl], dim=1).numpy()
