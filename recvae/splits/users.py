"""Strong generalization: judged by users that the model has never seen."""

import numpy as np

from recvae.errors import OptionError
from recvae.interactions import Interactions
from recvae.splits.holdout import Holdout, Split
from recvae.splits.parts import hold_out, source_order

MOST_HELD_OUT = 1000
"""Users for validation, and for test, unless said otherwise."""


def split_users(
    data: Interactions,
    n_validation: int | None = None,
    n_test: int | None = None,
    *,
    seed: int = 98765,
    held_out: float = 0.2,
) -> Split:
    """Hold out whole users, and a part of the items of each: strong generalization.

        T . T T . . .    user a, training
        . T T . T T .    user b, training
        f . f h f f x    user c, validation
        . f f f f h .    user d, test

    Exactly as Liang et al. (2018), "Variational Autoencoders for Collaborative Filtering", did:
    the users are shuffled from the ascending order of their ids; the last `n_test` are for test,
    the `n_validation` before them for validation. Items are those of the training users: one that
    none of them has (x) is dropped. Of a held-out user's n items, in the order of the source,
    int(held_out * n) random ones are held out. Users with too few items for that are dropped and
    counted.

    Args:
        data: users x items.
        n_validation: how many users are for validation; None means 1,000, or a fifth of the users
            where they are fewer than 5,000.
        n_test: how many users are for test; likewise.
        seed: seeds the shuffling, then the validation and then the test items afresh; 98765 is
            that of the paper.
        held_out: share of a held-out user's items to be ranked.

    Returns:
        Users in ascending order of their ids, in training and in both held-out sets.

    Raises:
        OptionError: no training user would be left, or an argument is out of its range.
        DataError: no held-out user has enough items.
    """
    usual = min(MOST_HELD_OUT, data.shape[0] // 5)
    n_validation = usual if n_validation is None else n_validation
    n_test = usual if n_test is None else n_test
    if not all(isinstance(n, int | np.integer) for n in (n_validation, n_test, seed)):
        raise OptionError("n_validation, n_test and seed must be whole numbers.")
    if not 0 <= seed < 2**32:
        raise OptionError(f"seed={seed} must be from 0 to 2^32 - 1.")
    n_train = data.shape[0] - n_validation - n_test
    if min(n_validation, n_test, n_train) < 1:
        raise OptionError(
            f"n_validation={n_validation} and n_test={n_test} must be at least 1 each and leave "
            f"training users: there are {data.shape[0]:,} users."
        )
    if not 0 < held_out < 1:
        raise OptionError(f"held_out={held_out} must be between 0 and 1.")
    ascending = np.argsort(data.user_ids)
    shuffled = np.random.RandomState(seed).permutation(len(ascending))
    ranks = np.split(shuffled, [n_train, n_train + n_validation])
    train, validation, test = (data.select_users(ascending[np.sort(rank)]) for rank in ranks)
    items = np.unique(train.matrix.indices)
    return Split(
        train.select_items(items),
        _hold_out_items(validation.select_items(items), held_out, seed),
        _hold_out_items(test.select_items(items), held_out, seed),
    )


def _hold_out_items(data: Interactions, share: float, seed: int) -> Holdout:
    random = np.random.RandomState(seed)
    order = source_order(data)
    lengths = np.diff(data.matrix.indptr)
    sizes = (share * lengths).astype(int)
    marked = np.zeros(len(order), dtype=bool)
    for user in np.flatnonzero(sizes):  # the reference draws for one user after the other
        drawn = random.choice(lengths[user], size=sizes[user], replace=False)
        marked[order[data.matrix.indptr[user] + drawn]] = True
    return hold_out(data, ~marked, marked)
