"""Weak generalization: other items of the users that were trained on have to be found."""

from dataclasses import replace

import numpy as np
import scipy.sparse as sp

from recvae.data.interactions import Interactions, require_timestamps
from recvae.data.matrices import rank_in_rows
from recvae.data.splits.holdout import Split
from recvae.data.splits.parts import known_items, split_by
from recvae.errors import OptionError

MIN_ITEMS = 3
"""The last items of users with fewer are not held out: one each to train, validate and test."""


def split_interactions(
    data: Interactions | sp.csr_matrix,
    *,
    validation: float = 0.1,
    test: float = 0.1,
    seed: int = 98765,
) -> Split:
    """Hold out a random part of every user's items.

        training      validation    test
        T . T T . .   f . f f h .   f . f f f h    user a
        . T . . T T   . f h . f f   . f f h f f    user b
        T . . T . .                                user c: too few items to hold any out

    Of a user's n items int(validation * n) are for validation and int(test * n) for test; the
    model is trained on the others. For test, the validation items are folded in as well. Items
    that no user has in training are dropped.

    Args:
        data: users x items, or a sparse matrix of them, whose row and column numbers are the ids.
        validation: fraction of each user's items for validation.
        test: fraction of each user's items for test.
        seed: seeds the drawing.

    Returns:
        All users in training. The held-out sets have the users with a held-out item; `rows` are
        their training rows, and `n_dropped` is the number of the other users.

    Raises:
        OptionError: a fraction is not above 0, or both together not below 1.
        DataError: no user has enough items, or the data are neither Interactions nor a matrix.
    """
    if min(validation, test) <= 0 or validation + test >= 1:
        raise OptionError(
            f"validation={validation} and test={test} must be fractions above 0, below 1 together."
        )
    data = Interactions.from_matrix(data)
    rows, lengths = data.rows, np.diff(data.matrix.indptr)
    rank = rank_in_rows(data.matrix, np.random.default_rng(seed).random(len(rows)))
    n_test = (test * lengths).astype(int)
    n_held_out = n_test + (validation * lengths).astype(int)
    is_test = rank < n_test[rows]
    return _hold_out_of_all(data, (rank < n_held_out[rows]) & ~is_test, is_test)


def split_last(data: Interactions) -> Split:
    """Hold out every user's last item for test, and the one before it for validation.

        in which order   training   validation   test
        1 2 4 3          T T . .    f f . h      f f h f    user a
        3 . 1 2          . . T .    . . f h      h . f f    user b
        . . 1 2          . . T T                            user c: too few items to hold any out

    Of items with equal timestamps the one that comes later in the source is the later one.
    Items that no user has in training are dropped.

    Args:
        data: users x items with timestamps.

    Returns:
        As of `split_interactions`; users with fewer than 3 items keep all of them in training.

    Raises:
        DataError: there are no timestamps, all are the same, or no user has enough items.
    """
    require_timestamps(data)
    places = data.in_order().matrix.data
    lengths = np.diff(data.matrix.indptr)[data.rows]
    from_end = lengths - places
    long_enough = lengths >= MIN_ITEMS
    data = replace(data, disliked=None)  # some may be disliked later only
    return _hold_out_of_all(data, long_enough & (from_end == 1), long_enough & (from_end == 0))


def _hold_out_of_all(data: Interactions, validation: np.ndarray, test: np.ndarray) -> Split:
    """Hold out the marked entries, bool [nnz] each, and train on all others of all users."""
    data, masks = known_items(data, ~(validation | test), validation, test)
    return split_by(data, *masks)
