"""Validation users that a fit takes from its training users, where it was given none."""

import numpy as np
import pandas as pd
import scipy.sparse as sp

from recvae.data.matrices import only, rank_in_rows, rows_of
from recvae.data.splits.holdout import Holdout

ONE_IN, LEAST, MOST = 10, 20, 1000
"""One in ten users with several items validates, at most MOST; if they were under LEAST, none."""
PARTS, ENOUGH = 5, 2000
"""A history is cut into parts. Each is held out in turn, until there are ENOUGH histories."""


def with_validation(
    train: sp.csr_matrix, seed: int, *, in_order: bool = False
) -> tuple[sp.csr_matrix, Holdout | None]:
    """Take some users out of a training matrix [users, items], to validate by.

    A fifth of the items of each is held out: random ones or, if the weights say in which order
    a user had the items, the last ones. A few users make a noisy judge. So they are there up to
    five times, with another fifth held out each time, but if it has to be the last.

    Returns:
        The other users, and the validation users, with their rows as their ids; all users and None
        where these would be too few.
    """
    random = np.random.default_rng(seed)
    several = np.flatnonzero(np.diff(train.indptr) > 1)
    n_users = min(MOST, len(several) // ONE_IN)
    if n_users < LEAST:
        return train, None
    rows = np.sort(random.choice(several, n_users, replace=False))
    some = train[rows]
    order = some.data if in_order else random.random(some.nnz)
    lengths = np.diff(some.indptr)[rows_of(some)]
    # The number of each entry's part, from the end of the order.
    parts = (lengths - 1 - rank_in_rows(some, order)) * PARTS // lengths
    turns = 1 if in_order else min(PARTS, max(1, ENOUGH // n_users))
    fold_in = sp.vstack([only(some, parts != turn) for turn in range(turns)], format="csr")
    held_out = sp.vstack([only(some, parts == turn) for turn in range(turns)], format="csr")
    kept = np.diff(held_out.indptr) > 0
    ids = pd.Index(np.tile(rows, turns)[kept])
    others = np.delete(np.arange(train.shape[0]), rows)
    return train[others], Holdout(fold_in[kept], held_out[kept], user_ids=ids)
