"""Lists: what may be in them, and lists as a stream of tidy tables."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pandas as pd

from recvae.data.reading import known_columns
from recvae.display.progress import progress
from recvae.ranking.blocks import MOST_USERS


def allowed(allow: Any, deny: Any, item_ids: pd.Index) -> np.ndarray | None:
    """The columns of what may be recommended, by raw ids; None if nobody says."""
    if allow is None and deny is None:
        return None
    every = np.arange(len(item_ids))
    columns = every if allow is None else known_columns(allow, item_ids, "allow")
    return np.setdiff1d(columns, [] if deny is None else known_columns(deny, item_ids, "deny"))


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
