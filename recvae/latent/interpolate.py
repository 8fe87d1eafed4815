"""Interpolate: recommends for tastes between two histories."""

import numpy as np
import scipy.sparse as sp
import torch

from recvae.errors import DataError, OptionError
from recvae.models.contract.abilities import Ability
from recvae.models.contract.recommender import Recommender
from recvae.ranking.top_k import ItemSets, top_k

WEIGHTS = (0.0, 0.25, 0.5, 0.75, 1.0)


def interpolate(
    model: Recommender,
    one: sp.csr_matrix,
    other: sp.csr_matrix,
    k: int = 10,
    weights: tuple[float, ...] = WEIGHTS,
    *,
    deny: ItemSets | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """Recommend to tastes on the straight line between the codes of two histories.

    Some models score by more than the decoder: the linear path of ResidualVAE, the other members of
    an ensemble. Their scores are mixed with the same weights. So at 0 and at 1 the scores are those
    of the two histories.

    Args:
        model: a fitted autoencoder or ensemble.
        one: CSR [1, items].
        other: CSR [1, items].
        k: length of the lists.
        weights: the weight of the other taste in each list, from 0 to 1.
        deny: columns that are in no list.

    Returns:
        Columns int64 [weights, k] and scores float32 [weights, k], best first, without the items of
        both histories; -1 and -inf where there are fewer than k.

    Raises:
        DataError: not one history each.
        OptionError: k or a weight is out of range.
    """
    model.require(Ability.CODES)
    histories = [model.checked(history) for history in (one, other)]
    if any(history.shape[0] != 1 for history in histories):
        raise DataError("expected one history on each side: give one row of a matrix each.")
    both = sp.vstack(histories, format="csr")
    mix = np.asarray(weights, dtype=np.float32)
    if mix.ndim != 1 or not ((mix >= 0) & (mix <= 1)).all():
        raise OptionError(f"weights={weights} must be numbers from 0 to 1.")
    codes, _ = model.encode(both)
    # What a model scores beside its decoder: 0 for most, the linear path for ResidualVAE.
    rest = model.with_cold_(model.score(both), both)
    rest -= model.decode(codes)
    ends = np.stack([1 - mix, mix], axis=1)

    def score(_: sp.csr_matrix, rows: np.ndarray | None) -> torch.Tensor:
        scores = model.decode(ends[rows] @ codes)
        return scores.addmm_(torch.from_numpy(ends[rows]).to(scores), rest)

    seen = both.max(axis=0).tocsr()[np.zeros(len(mix), dtype=np.int64)]
    return top_k(score, seen, k, rows=np.arange(len(mix)), deny=deny)
