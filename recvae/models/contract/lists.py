"""Lists: what a model says of users, once they are checked, as a stream of tidy tables."""

import warnings
from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import scipy.sparse as sp
import torch

from recvae.data.reading.ids import look_up
from recvae.display.progress import progress
from recvae.errors import FoldInError, OptionError
from recvae.ranking.blocks import MOST_USERS
from recvae.ranking.top_k import as_columns, require_length, top_k

if TYPE_CHECKING:
    from recvae.models.contract.recommender import Recommender


class EmptyHistoryWarning(UserWarning):
    """Some users have no history: their lists are by popularity."""


class MissingWeightsWarning(UserWarning):
    """A model that reads weights was given histories without."""


def warn_if_unweighted(model: "Recommender", histories: sp.csr_matrix) -> None:
    """Warn if a model reads weights and no line of the histories came more than once."""
    if getattr(model, "input", None) == "counts" and (histories.data == 1).all():
        warnings.warn(
            f"this {type(model).__name__} reads weights (input='counts'), and no column of them "
            "was named by value: each line counts as 1.",
            MissingWeightsWarning,
            stacklevel=3,
        )


def ranked_tables(
    model: "Recommender",
    histories: sp.csr_matrix,
    user_ids: pd.Index,
    k: int,
    *,
    exclude_seen: bool = True,
) -> Iterator[pd.DataFrame]:
    """Recommend as `recommend_tables` does, for CSR [users, items] of users with raw ids."""
    known = None if model.supports_new_users else _rows_of(model, user_ids)
    histories, rows = checked_users(model, histories, known)
    require_length(k, histories.shape[1])

    def tables() -> Iterator[pd.DataFrame]:
        starts = range(0, max(len(user_ids), 1), MOST_USERS)
        for start in progress(starts, "recommending", unit="block"):
            block = slice(start, start + MOST_USERS)
            ids, scores = top_k(
                partial(scores_or_popularity, model),
                histories[block],
                k,
                rows=None if rows is None else rows[block],
                exclude_seen=exclude_seen,
            )
            yield _table(model.items_, user_ids[block], ids, scores)

    return tables()


def scores_or_popularity(
    model: "Recommender", histories: sp.csr_matrix, rows: np.ndarray | None
) -> torch.Tensor:
    """What `model.score` gives, and how many users have each item for an empty history."""
    return popular_if_empty(model, histories, model.score(histories, rows))


def popular_if_empty(
    model: "Recommender", histories: sp.csr_matrix, scores: torch.Tensor
) -> torch.Tensor:
    """Scores of some users, and how many users have each item for an empty history."""
    if model.supports_new_users and (empty := np.flatnonzero(np.diff(histories.indptr) == 0)).size:
        counts = torch.from_numpy(model.item_counts_).to(scores)
        scores[torch.from_numpy(empty).to(scores.device)] = counts
    return scores


def checked_users(
    model: "Recommender", histories: sp.csr_matrix, rows: np.ndarray | None
) -> tuple[sp.csr_matrix, np.ndarray | None]:
    """Histories as `model.score` takes them, and rows; a warning counts the empty histories."""
    histories = model.checked(histories)
    if not model.supports_new_users:
        return histories, checked_rows(model, rows, histories.shape[0])
    if empty := int((np.diff(histories.indptr) == 0).sum()):
        warnings.warn(
            f"{empty:,} of {histories.shape[0]:,} histories are empty: "
            "those users get the most popular items.",
            EmptyHistoryWarning,
            stacklevel=3,
        )
    return histories, rows


def checked_rows(model: "Recommender", rows: np.ndarray | None, n_users: int) -> np.ndarray:
    """Rows in the training matrix, one for each of so many users, as int64.

    Raises:
        FoldInError: there are none.
        OptionError: they are not one for each user, or out of range.
    """
    if rows is None:
        raise FoldInError(
            f"{type(model).__name__} knows only the users it was trained on: give their rows "
            "(rows=...), or use a model that folds new users in, such as ImplicitALS."
        )
    if np.shape(rows) != (n_users,):
        raise OptionError(f"rows must name one training row for each of {n_users} histories.")
    return as_columns(rows, model.n_users_, "rows")


def _rows_of(model: "Recommender", user_ids: pd.Index) -> np.ndarray:
    rows = look_up(user_ids, model.user_ids_)  # type: ignore[arg-type]
    if (rows < 0).any():
        raise FoldInError(
            f"{type(model).__name__} knows only the users it was trained on, and not "
            f"{user_ids[rows < 0][0]}: use a model that folds new users in."
        )
    return rows


def _table(
    items: pd.DataFrame, user_ids: pd.Index, ids: np.ndarray, scores: np.ndarray
) -> pd.DataFrame:
    n, k = ids.shape
    kept = ids.ravel() >= 0
    columns = ids.ravel()[kept]
    table = pd.DataFrame(
        {
            "user": user_ids.repeat(k)[kept],
            "item": items.index[columns],
            "rank": np.tile(np.arange(1, k + 1), n)[kept],
            "score": scores.ravel()[kept],
        }
    )
    if "title" in items:
        table["title"] = items["title"].array[columns]
    return table
