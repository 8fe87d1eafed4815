"""Nats: negative log-probabilities of items, from a model's scores."""

import numpy as np
import scipy.sparse as sp
import torch

from recvae.engine.batch import Batch


def entry_nats(scores: torch.Tensor, histories: sp.csr_matrix) -> np.ndarray:
    """The negative log-probability of each entry of some histories: float32 [nnz].

    Args:
        scores: log-probabilities [users, items], up to a constant for each user.
        histories: CSR [users, items].
    """
    batch = Batch.of(histories, scores.device)
    nats = scores.logsumexp(dim=1)[batch.rows] - scores[batch.rows, batch.columns]
    return nats.cpu().numpy()
