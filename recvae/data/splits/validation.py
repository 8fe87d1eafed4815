"""Validation users that a fit takes from its training users, where it was given none."""

import numpy as np
import scipy.sparse as sp

from recvae.data.matrices import only, rank_in_rows, rows_of
from recvae.data.splits.holdout import Holdout

ONE_IN, MOST, LEAST = 10, 1000, 20
"""One in so many users validates, but no more than so many; where they would be fewer, none."""
HIDDEN = 0.2


def with_validation(
    train: sp.csr_matrix, seed: int, *, in_order: bool = False
) -> tuple[sp.csr_matrix, Holdout | None]:
    """Take some users out of a training matrix [users, items], to validate by.

    A fifth of the items of each is held out: random ones or, if the weights say in which order
    a user had the items, the last ones.

    Returns:
        The other users, and the validation users; all users and None where these would be too few.
    """
    random = np.random.default_rng(seed)
    several = np.flatnonzero(np.diff(train.indptr) > 1)
    n_users = min(MOST, train.shape[0] // ONE_IN, len(several))
    if n_users < LEAST:
        return train, None
    validates = np.zeros(train.shape[0], dtype=bool)
    validates[random.choice(several, n_users, replace=False)] = True
    some = train[validates]
    late = some.data if in_order else random.random(some.nnz)
    lengths = np.diff(some.indptr)[rows_of(some)]
    hidden = rank_in_rows(some, late) >= lengths - np.ceil(HIDDEN * lengths)
    return train[~validates], Holdout(only(some, ~hidden), only(some, hidden))
