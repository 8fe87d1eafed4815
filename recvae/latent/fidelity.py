"""Fidelity: how similar synthetic users are to real ones, and whether they are too similar."""

from dataclasses import dataclass, replace

import numpy as np
import scipy.sparse as sp
from scipy.stats import wasserstein_distance

from recvae.data.interactions import Interactions
from recvae.data.splits import Holdout
from recvae.errors import DataError
from recvae.evaluation.evaluate import mean_of
from recvae.models.contract.inputs import as_input
from recvae.models.contract.recommender import Recommender
from recvae.models.ease import EASE
from recvae.ranking.blocks import block_users, in_blocks


@dataclass(frozen=True, eq=False)
class Fidelity:
    """How synthetic users compare to the real ones that their model was trained on.

    Attributes:
        popularity: total variation distance between the distributions of interactions over items,
            from 0 to 1.
        length: Wasserstein distance between the lengths of the histories, in items.
        usefulness: the metric of a model trained on synthetic users, divided by the metric of the
            same model trained on real users, both on held-out real users; NaN if the latter is 0.
        nearest: float32 [synthetic users], the distance of each to the nearest training user.
        nearest_held_out: float32 [held-out users], the distance of each held-out real user to the
            nearest training user. Synthetic users that are nearer than these reveal too much of
            somebody.
    """

    popularity: float
    length: float
    usefulness: float
    nearest: np.ndarray
    nearest_held_out: np.ndarray

    @property
    def copies(self) -> float:
        """The fraction of synthetic users who are an exact copy of a training user."""
        return float((self.nearest == 0).mean())

    def __repr__(self) -> str:
        return (
            f"popularity {self.popularity:.3f}, length {self.length:.1f} items, usefulness "
            f"{self.usefulness:.1%}, median distance to the nearest training user "
            f"{np.median(self.nearest):.3f} (held-out real users: "
            f"{np.median(self.nearest_held_out):.3f}), copies {self.copies:.2%}"
        )


def fidelity(
    synthetic: sp.csr_matrix,
    train: Interactions | sp.csr_matrix,
    test: Holdout,
    *,
    judge: Recommender | None = None,
    metric: str = "ndcg@100",
) -> Fidelity:
    """Judge synthetic users: how similar they are to real ones, and what a model learns from them.

    Args:
        synthetic: CSR [synthetic users, items].
        train: the real users that the generating model was trained on, of the same items.
        test: real users that it was not trained on.
        judge: a model whose options are used for the two trainings; None means EASE, whose
            regularization suits about as many synthetic users as real ones.
        metric: the metric by which the two trainings are compared.

    Raises:
        DataError: the items are not the same, or no users are given.
        OptionError: the metric is unknown.
    """
    real, synthetic = (Interactions.from_matrix(users).matrix for users in (train, synthetic))
    unseen = test.fold_in + test.held_out
    sets = (synthetic, real, unseen)
    if len({users.shape[1] for users in sets}) > 1 or not all(users.nnz for users in sets):
        raise DataError(
            f"synthetic, training and test users are {', '.join(str(one.shape) for one in sets)}: "
            "all must have interactions, and the same items."
        )
    model = EASE() if judge is None else judge
    useful, best = (mean_of(metric, replace(model).fit(users), test) for users in (synthetic, real))
    one, other = (users.getnnz(axis=0) / users.nnz for users in (synthetic, real))
    return Fidelity(
        popularity=0.5 * float(np.abs(one - other).sum()),
        length=float(wasserstein_distance(synthetic.getnnz(axis=1), real.getnnz(axis=1))),
        usefulness=useful / best if best > 0 else float("nan"),
        nearest=nearest_distance(synthetic, real),
        nearest_held_out=nearest_distance(unseen, real),
    )


def nearest_distance(histories: sp.csr_matrix, others: sp.csr_matrix) -> np.ndarray:
    """The Jaccard distance of each user to the nearest of some other users; weights are not read.

    1 - |both| / |either|, from 0 (the same items) to 1 (none in common).

    Args:
        histories: CSR [users, items].
        others: CSR [others, items], one or more.

    Returns:
        float32 [users]. Two users without items have distance 0.
    """
    one, other = as_input(histories), as_input(others)
    columns, sizes, nearest = other.T.tocsr(), other.getnnz(axis=1), [np.empty(0, dtype=np.float32)]
    for block in in_blocks(one, block_users(other.shape[0])):
        # |both| is a product of 0/1 rows, |either| = |one| + |other| - |both|. Two empty users are
        # the same: their 0/0 counts as 1.
        both = (block @ columns).toarray()
        either = block.getnnz(axis=1)[:, None] + sizes - both
        alike = (both / np.maximum(either, 1) + (either == 0)).max(axis=1)
        nearest.append(1 - alike.astype(np.float32))
    return np.concatenate(nearest)
