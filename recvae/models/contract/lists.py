"""Lists: checks of users before they are ranked, and their lists as a stream of tidy tables."""

import warnings
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pandas as pd
import scipy.sparse as sp
import torch

from recvae.data.ids import look_up
from recvae.data.reading import known_columns
from recvae.display.progress import progress
from recvae.errors import FoldInError
from recvae.ranking.blocks import MOST_USERS


class EmptyHistoryWarning(UserWarning):
    """Some users have no history: their lists are by popularity."""


class MissingWeightsWarning(UserWarning):
    """A model that reads weights, or the order, was given histories without."""


def warn_if_unweighted(name: str, histories: sp.csr_matrix) -> None:
    """Warn that a model reads weights, if all weights of the histories are 1."""
    if (histories.data == 1).all():
        warnings.warn(
            f"this {name} reads weights (input='counts'), and no column of them was named by "
            "value=...: each line counts as 1.",
            MissingWeightsWarning,
            stacklevel=3,
        )


def warn_of_no_order(name: str) -> None:
    """Warn that a model reads the order of histories that have none."""
    warnings.warn(
        f"this {name} reads the order of a history, and no column of times was named by "
        "timestamp=...: all of it counts as equally recent.",
        MissingWeightsWarning,
        stacklevel=3,
    )


def warn_if_empty(histories: sp.csr_matrix) -> None:
    """Warn of users without a history, and count them."""
    if empty := int((np.diff(histories.indptr) == 0).sum()):
        warnings.warn(
            f"{empty:,} of {histories.shape[0]:,} histories are empty: "
            "those users get the most popular items.",
            EmptyHistoryWarning,
            stacklevel=4,
        )


def popular_if_empty(
    scores: torch.Tensor, histories: sp.csr_matrix, counts: np.ndarray
) -> torch.Tensor:
    """Scores [users, items], in which rows of empty histories become the items' user counts."""
    if (empty := np.flatnonzero(np.diff(histories.indptr) == 0)).size:
        scores[torch.from_numpy(empty).to(scores.device)] = torch.from_numpy(counts).to(scores)
    return scores


def allowed(allow: Any, deny: Any, item_ids: pd.Index) -> np.ndarray | None:
    """The columns of what may be recommended, by raw ids; None if nobody says."""
    if allow is None and deny is None:
        return None
    every = np.arange(len(item_ids))
    columns = every if allow is None else known_columns(allow, item_ids, "allow")
    return np.setdiff1d(columns, [] if deny is None else known_columns(deny, item_ids, "deny"))


def rows_of(name: str, user_ids: pd.Index, known: pd.Index) -> np.ndarray:
    """The rows of users in the training matrix, by raw id.

    Raises:
        FoldInError: a user is not a training user.
    """
    rows = look_up(user_ids, known)
    if (rows < 0).any():
        raise FoldInError(
            f"{name} knows only the users it was trained on, and not "
            f"{user_ids[rows < 0][0]}: use a model that folds new users in."
        )
    return rows


def ranked_tables(
    rank: Callable[[slice], tuple[np.ndarray, np.ndarray]],
    user_ids: pd.Index,
    items: pd.DataFrame,
    cold: np.ndarray | None = None,
) -> Iterator[pd.DataFrame]:
    """Lists as tidy tables, a block of users at a time; `rank` gives a block's lists.

    Where it is known which items are cold, bool [items], the tables say so.
    """
    starts = range(0, max(len(user_ids), 1), MOST_USERS)
    for start in progress(starts, "recommending", unit="block"):
        block = slice(start, start + MOST_USERS)
        yield _table(items, cold, user_ids[block], *rank(block))


def _table(
    items: pd.DataFrame,
    cold: np.ndarray | None,
    user_ids: pd.Index,
    ids: np.ndarray,
    scores: np.ndarray,
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
    if cold is not None:
        table["cold"] = cold[columns]
    if "title" in items:
        table["title"] = items["title"].array[columns]
    return table
