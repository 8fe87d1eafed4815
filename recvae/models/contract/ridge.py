"""Ridge: a regression on sparse features of items or users, in closed form."""

from dataclasses import dataclass
from typing import Self

import numpy as np
import scipy.sparse as sp
import torch

from recvae.engine.states import of_shape
from recvae.evaluation.metrics import RankedLists, ndcg
from recvae.ranking.blocks import block_users
from recvae.ranking.top_k import top_k

RANK, SPARE, ROUNDS = 256, 32, 5
"""How many principal directions of the features are exact; how they are searched for."""
USERS, LIST = 1000, 100
"""By how many users, and by what lists of theirs, a penalty is chosen."""


@dataclass(frozen=True, eq=False)
class Ridge:
    """The inverse A = (F'F + rho I)^-1 of a regression on F [lines, features], centred.

    It is exact in the principal directions of F, and assumes equal variance in all others.

    Attributes:
        centre: float32 [features], the mean of the lines.
        directions: float32 [features, rank], the principal directions.
        variances: float32 [rank + 1], the eigenvalues of F'F along these, and in all others.
        penalty: rho.
    """

    centre: np.ndarray
    directions: np.ndarray
    variances: np.ndarray
    penalty: float

    @classmethod
    def each(cls, features: sp.csr_matrix, *penalties: float) -> list[Self]:
        """A regression on the same features for each penalty."""
        principal = _principal(features)
        return [cls(*principal, penalty) for penalty in penalties]

    def times(self, vectors: np.ndarray) -> np.ndarray:
        """Vectors [n, features] times A."""
        gains, rest = self._gains
        along = (vectors @ self.directions) * gains
        return rest * vectors + along @ self.directions.T

    def leverages(self, lines: sp.csr_matrix, n_learnt: int) -> np.ndarray:
        """How much of the fitted value of each of n_learnt lines comes from itself: [lines]."""
        gains, rest = self._gains
        # 1 / n + (f - c)' A (f - c), where A is `rest` in all directions and more in some.
        lengths = np.asarray(lines.multiply(lines).sum(axis=1)).ravel()
        lengths = lengths - 2 * (lines @ self.centre) + self.centre @ self.centre
        along = lines @ self.directions - self.centre @ self.directions
        own = rest * lengths + along**2 @ gains + 1 / n_learnt
        return np.clip(own, 0, 0.99)

    def state(self) -> dict[str, np.ndarray]:
        """The regression as named arrays."""
        return {**vars(self), "penalty": np.array([self.penalty], dtype=np.float32)}

    @classmethod
    def restore(cls, state: dict[str, torch.Tensor]) -> Self:
        """Take the arrays of `state` back."""
        n_features, rank = state["directions"].shape
        return cls(
            of_shape(state["centre"], n_features).numpy(),
            of_shape(state["directions"], n_features, rank).numpy(),
            of_shape(state["variances"], rank + 1).numpy(),
            of_shape(state["penalty"], 1).item(),
        )

    @property
    def _gains(self) -> tuple[np.ndarray, float]:
        """The eigenvalues of A along the principal directions, less that of others, and that."""
        gains = 1 / (self.variances + self.penalty)
        return gains[:-1] - gains[-1], gains[-1]


def judges(n_items: int) -> int:
    """How many users a penalty is chosen by, at most: their scores are one block."""
    return min(USERS, block_users(n_items))


def mean_ndcg(scores: torch.Tensor, seen: sp.csr_matrix, held_out: sp.csr_matrix) -> float:
    """The mean NDCG of the lists of so few users by their scores [users, items]."""
    ranked, _ = top_k(lambda *_: scores, seen, min(LIST, scores.shape[1]))
    return float(ndcg(RankedLists(ranked, held_out), LIST).mean())


def _principal(features: sp.csr_matrix) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The mean of features, their principal directions, and the variances along these and others.

    The directions are found by subspace iteration from random vectors (Halko, Martinsson and
    Tropp, "Finding structure with randomness", SIAM Review 2011).
    """
    n_lines, n_features = features.shape
    centre = np.asarray(features.mean(axis=0), dtype=np.float32).ravel()

    def covariance(vectors: np.ndarray) -> np.ndarray:
        return features.T @ (features @ vectors) - n_lines * np.outer(centre, centre @ vectors)

    shape = n_features, min(RANK + SPARE, n_features)
    basis = np.random.default_rng(0).standard_normal(shape, dtype=np.float32)
    for _ in range(ROUNDS):
        basis, _ = np.linalg.qr(covariance(basis))
    values, rotation = np.linalg.eigh(basis.T @ covariance(basis))
    values, rotation = values[-RANK:].clip(min=0), rotation[:, -RANK:]
    total = features.multiply(features).sum() - n_lines * centre @ centre
    rest = max(total - values.sum(), 0) / max(n_features - len(values), 1)
    return centre, (basis @ rotation).astype(np.float32), np.append(values, rest).astype(np.float32)
