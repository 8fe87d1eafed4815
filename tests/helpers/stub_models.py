"""Small recommenders with known answers, so that evaluation is tested without the models."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np
import pandas as pd
import scipy.sparse as sp
import torch

from recvae.data.interactions import Interactions
from recvae.data.splits import Holdout, Split
from recvae.engine.trainer import OnEpoch
from recvae.models.contract.learner import Learner
from recvae.options.spaces import Categorical, Space
from recvae.ranking.top_k import top_k


@dataclass(kw_only=True, eq=False)
class Noisy:
    """Popularity plus co-occurrence, disturbed by noise: the less noise, the better."""

    noise: float = 0.0
    seed: int = 0

    history_ = None
    reads_validation = Learner.reads_validation
    as_chosen = Learner.as_chosen
    interrupted_ = False
    supports_new_users: ClassVar[bool] = True
    space: ClassVar[Space] = {"noise": Categorical((0.0, 0.5, 1.0, 2.0))}

    def fit(
        self,
        interactions: Interactions,
        validation: Holdout | None = None,
        on_epoch: OnEpoch | None = None,
    ) -> Self:
        matrix = interactions.matrix
        self.weights_ = np.asarray((matrix.T @ matrix).todense(), dtype=np.float32)
        self.weights_ /= self.weights_.max()
        self.item_counts_ = np.bincount(matrix.indices, minlength=matrix.shape[1])
        self.n_users_ = matrix.shape[0]
        return self

    @property
    def n_parameters(self) -> int:
        return self.weights_.size

    @property
    def n_bytes(self) -> int:
        return self.weights_.nbytes

    def score(self, histories: sp.csr_matrix, rows: np.ndarray | None = None) -> torch.Tensor:
        scores = histories @ self.weights_ + self.item_counts_ / self.n_users_
        keys = histories @ np.arange(1, histories.shape[1] + 1)
        noise = np.sin(np.outer(keys + self.seed, np.arange(1, histories.shape[1] + 1)) * 12.9898)
        return torch.from_numpy((scores + self.noise * noise).astype(np.float32))

    def recommend(
        self,
        histories: sp.csr_matrix,
        k: int = 10,
        *,
        rows: np.ndarray | None = None,
        deny: sp.csr_matrix | None = None,
    ) -> tuple[np.ndarray, np.ndarray]:
        return top_k(self.score, histories, k, rows=rows, deny=deny)


@dataclass(kw_only=True, eq=False)
class Trained(Noisy):
    """One that has a training history, as autoencoders do."""

    epochs: int = 20

    def fit(
        self,
        interactions: Interactions,
        validation: Holdout | None = None,
        on_epoch: OnEpoch | None = None,
    ) -> Self:
        epoch = np.arange(1, self.epochs + 1)
        self.history_ = pd.DataFrame(
            {
                "epoch": epoch,
                "loss": 300 + 200 / epoch,
                "log_likelihood": -300 - 200 / epoch,
                "kl": 10 + epoch,
                "beta": np.minimum(0.2, epoch / 50),
                "ndcg@100": 0.4 - 0.3 / epoch,
            }
        )
        return super().fit(interactions, validation, on_epoch)


@dataclass(kw_only=True, eq=False)
class KnowsOnlyItsUsers(Noisy):
    """One that can't fold in."""

    supports_new_users: ClassVar[bool] = False


@dataclass(kw_only=True, eq=False)
class WithoutSpace(Noisy):
    """One with nothing to tune."""

    space: ClassVar[Space] = {}


class Fixed:
    """Recommends the lists that it is given: nothing but `recommend`."""

    def __init__(self, ranked: Sequence[Sequence[int]]) -> None:
        self.ranked = np.asarray(ranked, dtype=np.int64)

    def recommend(
        self,
        histories: sp.csr_matrix,
        k: int = 10,
        *,
        rows: np.ndarray | None = None,
        deny: sp.csr_matrix | None = None,
    ) -> tuple[np.ndarray, np.ndarray]:
        ranked = self.ranked if rows is None else self.ranked[rows]
        return ranked[:, :k], -np.arange(ranked.shape[1], dtype=np.float32)[None, :k]


def small_split(*, n_users: int = 300, n_items: int = 60, known_users: bool = False) -> Split:
    """Users of three tastes; a third of them validates and a third tests."""
    generator = np.random.default_rng(5)
    tastes = generator.dirichlet(np.full(n_items, 0.15), size=3)
    matrix = np.zeros((n_users, n_items), dtype=np.float32)
    for row, taste in zip(matrix, tastes[generator.integers(3, size=n_users)], strict=True):
        length = int(generator.integers(6, 15))
        row[generator.choice(n_items, length, replace=False, p=0.8 * taste + 0.2 / n_items)] = 1
    held_out = (generator.random(matrix.shape) < 0.3) * matrix
    third = n_users // 3

    def holdout(rows: np.ndarray) -> Holdout:
        return Holdout(
            sp.csr_matrix(matrix[rows] - held_out[rows]),
            sp.csr_matrix(held_out[rows]),
            rows=np.arange(len(rows)) if known_users else None,
            user_ids=pd.Index([f"u{row}" for row in rows], name="user"),
        )

    blocks = np.arange(n_users).reshape(3, third)
    train = Interactions.from_matrix(sp.csr_matrix(matrix[blocks[0]]))
    return Split(train, holdout(blocks[1]), holdout(blocks[2]))
