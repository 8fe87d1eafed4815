"""Lists: what may be in them, and lists as tidy tables."""

from typing import Any

import numpy as np
import pandas as pd

from recvae.data.reading import known_columns


def allowed(allow: Any, deny: Any, item_ids: pd.Index) -> np.ndarray | None:
    """The columns of what may be recommended, by raw ids; None for all items."""
    if allow is None and deny is None:
        return None
    every = np.arange(len(item_ids))
    columns = every if allow is None else known_columns(allow, item_ids, "allow")
    return np.setdiff1d(columns, [] if deny is None else known_columns(deny, item_ids, "deny"))


def as_table(
    ids: np.ndarray,
    scores: np.ndarray,
    user_ids: pd.Index,
    items: pd.DataFrame,
    cold: np.ndarray | None,
) -> pd.DataFrame:
    """Lists [users, k] as a tidy table, of columns of items, -1 where a list ends, and scores.

    Where it is known which items are cold, bool [items], the table says so.
    """
    users, places = np.nonzero(ids >= 0)
    columns = ids[users, places]
    table = pd.DataFrame(
        {
            "user": user_ids[users],
            "item": items.index[columns],
            "rank": places + 1,
            "score": scores[users, places],
        }
    )
    if cold is not None:
        table["cold"] = cold[columns]
    if "title" in items:
        table["title"] = items["title"].array[columns]
    return table
