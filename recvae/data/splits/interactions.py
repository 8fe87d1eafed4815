"""Per-user hold-out (weak generalization): other items of the users that were trained on."""

import numpy as np
import scipy.sparse as sp

from recvae.data.interactions import Interactions
from recvae.data.matrices import rank_in_rows
from recvae.data.splits.holdout import Split
from recvae.data.splits.parts import hold_out_of_all
from recvae.errors import OptionError


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
    return hold_out_of_all(data, (rank < n_held_out[rows]) & ~is_test, is_test)
