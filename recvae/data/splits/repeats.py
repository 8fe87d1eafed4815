"""A split of repeat consumption: people have things again, and a model may say so."""

import numpy as np
import pandas as pd
import scipy.sparse as sp

from recvae.data.ids import look_up
from recvae.data.interactions import Interactions
from recvae.data.splits.holdout import Holdout, Split
from recvae.errors import DataError


def split_repeats(train: Interactions, validation: Interactions, test: Interactions) -> Split:
    """Train on a first period, hold out a second and a third, with what users have had before.

    In Interactions a user and an item are one entry, so that the periods are read one by one:
    `read_interactions(plays[plays["when"] < "2026-03"])` and so on. All that a user has had before
    a period is folded in, weights added up; all that they have in it is held out, new or not, and
    models rank all items (`exclude_seen=False`). Items that no user has in training are dropped.

    Args:
        train: users x items of the first period.
        validation: users x items of the second.
        test: users x items of the third.

    Returns:
        A split whose held-out sets have the users with a history before the period and items in it;
        `n_dropped` counts the other users of the period. `rows` is None, as of `split_time`.

    Raises:
        DataError: a held-out set has no user.
    """
    periods = (train, validation, test)
    users = pd.Index(np.concatenate([one.user_ids for one in periods])).unique()
    first, second, third = (_placed(one, users, train.item_ids) for one in periods)
    return Split(
        train,
        _hold_out(first, second, users, train.item_ids),
        _hold_out((first + second).tocsr(), third, users, train.item_ids),
    )


def _placed(data: Interactions, users: pd.Index, items: pd.Index) -> sp.csr_matrix:
    """The entries in other rows and columns; those of other items are dropped."""
    rows, columns = look_up(data.user_ids, users)[data.rows], look_up(data.item_ids, items)
    columns = columns[data.matrix.indices]
    known = columns >= 0
    entries = data.matrix.data[known], (rows[known], columns[known])
    return sp.csr_matrix(entries, shape=(len(users), len(items)))


def _hold_out(
    shown: sp.csr_matrix, ranked: sp.csr_matrix, users: pd.Index, items: pd.Index
) -> Holdout:
    active = np.diff(ranked.indptr) > 0
    kept = active & (np.diff(shown.indptr) > 0)
    if not kept.any():
        raise DataError(
            f"none of {int(active.sum()):,} users is left to judge a model by: they have no "
            "history before the period."
        )
    return Holdout(
        shown[kept],
        ranked[kept],
        user_ids=users[kept],
        item_ids=items,
        n_dropped=int((active & ~kept).sum()),
        exclude_seen=False,
    )
