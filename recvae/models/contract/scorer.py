"""Scorer: scores checked histories, by features too where nobody has an item or a user has none."""

import warnings

import numpy as np
import pandas as pd
import scipy.sparse as sp
import torch

from recvae.data.features import Vectors
from recvae.data.ids import look_up, require_same_items
from recvae.data.interactions import Interactions
from recvae.errors import DataError, FoldInError, OptionError
from recvae.models.contract.abilities import Ability
from recvae.models.contract.learner import Learner
from recvae.ranking.shortlist import Products
from recvae.ranking.top_k import Rows, as_columns


class EmptyHistoryWarning(UserWarning):
    """Some users have no history: their lists are by popularity."""


class Scorer(Learner):
    """A model that scores the histories of users: known or new, with items or without."""

    def checked(self, histories: sp.csr_matrix) -> sp.csr_matrix:
        """Histories in the form that `score` takes: CSR float32, sorted columns, finite weights.

        Raises:
            NotFittedError: fit or load the model first.
            DataError: they do not have the training items as columns.
        """
        self.require_fitted()
        data = Interactions.from_matrix(self._in_order(histories))
        if data.shape[1] != len(self.items_):
            raise DataError(
                f"histories have {data.shape[1]} columns, the model knows {len(self.items_)} "
                "items: they must be the training items, in the same order."
            )
        if isinstance(histories, Interactions):
            require_same_items(histories.item_ids, self.item_ids_)
        return data.matrix

    def checked_users(
        self,
        histories: sp.csr_matrix,
        rows: np.ndarray | None,
        user_features: pd.DataFrame | Vectors | None = None,
    ) -> tuple[sp.csr_matrix, Rows | None]:
        """Histories, and rows or encoded features, in the form that `score_or_count` takes.

        A warning counts empty histories, unless features tell them apart.

        Raises:
            NotFittedError, DataError: see `checked`.
            FoldInError, OptionError: see `recommend`.
        """
        histories = self.checked(histories)
        if user_features is not None:
            if self.cold_users_ is None:
                raise OptionError("this model reads no user_features: fit it with some.")
            return histories, self.cold_users_.encode(user_features, histories.shape[0])
        if not self.supports_new_users:
            return histories, self.checked_rows(rows, histories.shape[0])
        if n_empty := int((np.diff(histories.indptr) == 0).sum()):
            warnings.warn(
                f"{n_empty:,} of {histories.shape[0]:,} histories are empty: "
                "those users get the most popular items.",
                EmptyHistoryWarning,
                stacklevel=3,
            )
        return histories, rows

    def checked_rows(self, rows: np.ndarray | None, n_users: int) -> np.ndarray:
        """The rows of `n_users` users in the training matrix, as int64.

        Raises:
            FoldInError: no rows are given.
            OptionError: there is not one row for each user, or a row is out of range.
        """
        if rows is None:
            raise FoldInError(
                f"{type(self).__name__} knows only the users it was trained on: give their rows "
                "(rows=...), or use a model that folds new users in, such as ImplicitALS."
            )
        if np.shape(rows) != (n_users,):
            raise OptionError(f"rows must name one training row for each of {n_users} histories.")
        return as_columns(rows, self.n_users_, "rows")

    def rows_of(self, user_ids: pd.Index) -> np.ndarray | None:
        """The rows of users in the training matrix, by raw id; None for a model of new users.

        Raises:
            FoldInError: a user is not a training user.
        """
        if self.facts_.user_ids is None:
            return None
        rows = look_up(user_ids, self.facts_.user_ids)
        if (rows < 0).any():
            raise FoldInError(
                f"{type(self).__name__} knows only the users it was trained on, and not "
                f"{user_ids[rows < 0][0]}: use a model that folds new users in."
            )
        return rows

    def score_or_count(self, histories: sp.csr_matrix, rows: Rows | None = None) -> torch.Tensor:
        """The scores of `score`, and those of cold items by their features.

        For an empty history, how many users have each item, or would have it by what is known of
        the user: CSR [users, features] in the place of rows.
        """
        known, rows = (None, rows) if isinstance(rows, np.ndarray) else (rows, None)
        scores = self.with_cold_(self.score(histories, rows), histories)
        if not self.supports_new_users:
            return scores
        if known is not None and self.cold_users_ is not None:
            return self.cold_users_.fill_(scores, histories, known)
        return popular_if_empty(scores, histories, self.item_counts_)

    def with_cold_(self, scores: torch.Tensor, histories: sp.csr_matrix) -> torch.Tensor:
        """Scores [users, items], in which those of cold items become those by their features."""
        return scores if self.cold_items_ is None else self.cold_items_.fill_(scores, histories)

    def products(self) -> Products | None:
        """The scores as inner products; None where they are something else."""
        if self.cold_items_ is not None or self.why_not(Ability.VECTORS):
            return None
        return Products(self.user_vectors, *self.last_layer())


def popular_if_empty(
    scores: torch.Tensor, histories: sp.csr_matrix, counts: np.ndarray
) -> torch.Tensor:
    """Scores [users, items], in which rows of empty histories become the items' user counts."""
    if (empty := np.flatnonzero(np.diff(histories.indptr) == 0)).size:
        scores[torch.from_numpy(empty).to(scores.device)] = torch.from_numpy(counts).to(scores)
    return scores
