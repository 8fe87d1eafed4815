"""Cold users: scores for users without a history, from what is known of them."""

from dataclasses import dataclass
from typing import Self

import numpy as np
import pandas as pd
import scipy.sparse as sp
import torch

from recvae.data.features import Features, Vectors
from recvae.data.interactions import Interactions
from recvae.errors import DataError, OptionError
from recvae.models.contract.arrays import as_tensors, of_csr, taken, to_csr
from recvae.models.contract.ridge import Ridge, judges, mean_ndcg
from recvae.saved.facts import Facts

PENALTIES = (3.0, 10.0, 30.0, 100.0, 300.0)
PREFIX = "cold_users."


@dataclass(frozen=True, eq=False)
class ColdUsers:
    """A ridge regression of who has what on what is known of the users.

    A user f has the scores x + (f - c) A F'X, A = (F'F + rho I)^-1, where F [users, features] and
    X [users, items] are the features and the histories of the training users less their means, c
    and x. What is missing of a user counts as the mean: of whom nothing is known, the scores are
    those of popularity.

    Attributes:
        features: what is known of users.
        ridge: A.
        totals: CSR [features, items], F'X before the means are taken off.
        counts: int64 [items], how many training users have each item.
        n_users: the number of training users.
    """

    features: Features
    ridge: Ridge
    totals: sp.csr_matrix
    counts: np.ndarray
    n_users: int

    @classmethod
    def learn(cls, features: Features, known: sp.csr_matrix, train: sp.csr_matrix) -> Self:
        """Learn from features [users, features] and histories [users, items], both CSR.

        The penalty is that by which some training users' histories are ranked best when each is
        scored without regard to itself (leave-one-out, in closed form).
        """
        train = (train > 0).astype(np.float32)
        totals, counts = (known.T @ train).tocsr(), train.getnnz(axis=0).astype(np.int64)
        rows = np.random.default_rng(0).permutation(train.shape[0])[: judges(train.shape[1])]
        each = [
            cls(features, ridge, totals, counts, train.shape[0])
            for ridge in Ridge.each(known, *PENALTIES)
        ]
        judged, nothing = train[rows], sp.csr_matrix((len(rows), train.shape[1]))
        return max(
            each, key=lambda one: mean_ndcg(one.left_out(known[rows], judged), nothing, judged)
        )

    def of_today(self, data: Interactions) -> Self:
        """The same regression on today's training data."""
        if not (columns := self.features.table_columns):
            raise OptionError(
                "vectors of users are not kept, so that they can't be updated: fit the model anew, "
                "or by columns of numbers or text."
            )
        known = np.diff(data.matrix.indptr) > 0
        return self.learn(*Features.learn(data.users, columns, known), data.matrix)

    def encode(self, given: "pd.DataFrame | Vectors", n_users: int) -> sp.csr_matrix:
        """Encode what is known of n_users users: CSR float32 [users, features]."""
        known = self.features.encode(given)
        if known.shape[0] != n_users:
            raise DataError(f"user_features has {known.shape[0]:,} lines for {n_users:,} users.")
        return known

    def fill_(
        self, scores: torch.Tensor, histories: sp.csr_matrix, known: sp.csr_matrix
    ) -> torch.Tensor:
        """Set the rows of scores [users, items] whose histories are empty, in place."""
        if (empty := np.flatnonzero(np.diff(histories.indptr) == 0)).size:
            scores[torch.from_numpy(empty).to(scores.device)] = self.score(known[empty]).to(scores)
        return scores

    def score(self, known: sp.csr_matrix) -> torch.Tensor:
        """Scores float32 [users, items] by features CSR [users, features].

        They are how many of as many users as were trained on would have each item.
        """
        # Features of columns of which nothing is said, all of them 0, are set to their means.
        column, names = pd.factorize(self.features.table["column"])
        said = abs(known) @ np.eye(len(names))[column] > 0
        complete = known.toarray() + ~said[:, column] * self.ridge.centre
        return self.n_users * self._fitted(complete)

    def left_out(self, known: sp.csr_matrix, histories: sp.csr_matrix) -> torch.Tensor:
        """Scores of training users by a regression that has not seen them: [users, items]."""
        # A row's residual, had it been left out, is its residual divided by 1 - its leverage.
        own = torch.from_numpy(self.ridge.leverages(known, self.n_users))[:, None]
        cells = torch.from_numpy(histories.toarray())
        return (self._fitted(known.toarray()) - own * cells) / (1 - own)

    def state(self) -> dict[str, torch.Tensor]:
        """The regression as named tensors."""
        return as_tensors(PREFIX, {**of_csr(self.totals), **self.ridge.state()})

    @classmethod
    def restore(
        cls, state: dict[str, torch.Tensor], table: pd.DataFrame | None, facts: Facts
    ) -> Self | None:
        """Take the tensors of `state` out of a model's; None if it has none."""
        if not (own := taken(state, PREFIX)):
            return None
        features, ridge = Features.restore(table), Ridge.restore(own)
        if len(features.table) != len(ridge.centre):
            raise ValueError("the users' features are not those of the regression")
        totals = to_csr(own, (len(ridge.centre), len(facts.items)))
        return cls(features, ridge, totals, facts.item_counts, facts.n_users)

    def _fitted(self, known: np.ndarray) -> torch.Tensor:
        # With w = (f - c) A: x + w F'X for centred F and X, which are never made. F'X is totals -
        # n c x, so the scores are w totals + (1 - n w c) x, for x = counts / n.
        weights = self.ridge.times((known - self.ridge.centre).astype(np.float32))
        popular = np.outer(1 - self.n_users * (weights @ self.ridge.centre), self.counts)
        fitted = (self.totals.T @ weights.T).T + popular / self.n_users
        return torch.from_numpy(fitted.astype(np.float32))
