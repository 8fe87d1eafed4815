"""Parts: makes training and held-out data from boolean masks of the entries of a matrix."""

from typing import Any

import numpy as np
import pandas as pd
import scipy.sparse as sp

from recvae.data.interactions import Interactions
from recvae.data.splits.holdout import Holdout, Split
from recvae.errors import DataError


def hold_out(
    data: Interactions,
    fold_in: np.ndarray,
    held_out: np.ndarray,
    *,
    among: np.ndarray | None = None,
    trained: bool = False,
) -> Holdout:
    """Make a Holdout of the users who have both an item to fold in and a held-out item.

    Args:
        data: users x items.
        fold_in, held_out: bool [nnz], the entries to show, and those to rank.
        among: bool [users], the users who could have been held out; None for all.
        trained: whether the rows of `data` are those of the training matrix.

    Raises:
        DataError: there is no such user.
    """
    return with_both(
        data.keep(fold_in).matrix,
        data.keep(held_out).matrix,
        data.user_ids,
        data.item_ids,
        among,
        rows=np.arange(data.shape[0]) if trained else None,
        order=data.in_order().keep(fold_in).matrix if data.has_times else None,
        disliked=data.disliked,
    )


def with_both(
    visible: sp.csr_matrix,
    hidden: sp.csr_matrix,
    users: pd.Index,
    items: pd.Index,
    among: np.ndarray | None,
    *,
    exclude_seen: bool = True,
    **known: Any,
) -> Holdout:
    """Make a Holdout of the users with items on both sides; the others of `among` are dropped.

    What else is `known` of the users, by the names of its attributes, has a row for each.
    """
    kept = (np.diff(visible.indptr) > 0) & (np.diff(hidden.indptr) > 0)
    n_users = len(kept) if among is None else int(among.sum())
    if not kept.any():
        raise DataError(
            f"none of {n_users:,} users is left to judge a model by: they have too few items, no "
            "history before what is held out, or only items that no training user has."
        )
    own: dict[str, Any] = {
        name: None if part is None else part[kept] for name, part in known.items()
    }
    return Holdout(
        visible[kept],
        hidden[kept],
        user_ids=users[kept],
        item_ids=items,
        n_dropped=n_users - int(kept.sum()),
        exclude_seen=exclude_seen,
        **own,
    )


def split_by(
    data: Interactions, train: np.ndarray, validation: np.ndarray, test: np.ndarray
) -> Split:
    """Split the entries of all users by masks, bool [nnz] each."""
    return Split(
        data.keep(train),
        hold_out(data, train, validation, trained=True),
        hold_out(data, train | validation, test, trained=True),
    )


def known_items(
    data: Interactions, train: np.ndarray, *marks: np.ndarray
) -> tuple[Interactions, list[np.ndarray]]:
    """Drop the items that have entries, but none for training; give the rest, and their marks."""
    counts = np.bincount(data.matrix.indices[train], minlength=data.shape[1])
    kept = (counts > 0) | (data.item_counts == 0)
    entries = kept[data.matrix.indices]
    return data.select_items(kept), [mark[entries] for mark in (train, *marks)]
