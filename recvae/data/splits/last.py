"""Leave-last-one-out: the last item of every user has to be found."""

from dataclasses import replace

import numpy as np

from recvae.data.interactions import Interactions, require_timestamps
from recvae.data.splits.holdout import Split
from recvae.data.splits.parts import hold_out_of_all

MIN_ITEMS = 3
"""One each for training, validation and test."""


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
        All users in training; users with fewer than 3 items keep all of them there. The held-out
        sets have the users with a held-out item; `rows` are their training rows, and `n_dropped`
        is the number of the other users.

    Raises:
        DataError: there are no timestamps, all are the same, or no user has enough items.
    """
    require_timestamps(data)
    places = data.in_order().matrix.data
    lengths = np.diff(data.matrix.indptr)[data.rows]
    from_end = lengths - places
    long_enough = lengths >= MIN_ITEMS
    data = replace(data, disliked=None)  # some may be disliked later only
    return hold_out_of_all(data, long_enough & (from_end == 1), long_enough & (from_end == 0))
