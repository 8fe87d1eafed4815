"""Strong generalization: validation and test users take no part in training."""

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp

from recvae.data.interactions import Interactions
from recvae.data.shards import Shards
from recvae.data.splits.holdout import Holdout, Split
from recvae.data.splits.parts import hold_out
from recvae.errors import OptionError

MOST_HELD_OUT = 1000
"""The default number of users for validation, and for test."""


@dataclass(frozen=True, eq=False)
class ShardSplit:
    """Training shards, validation users to choose a model by, and test users to judge it by."""

    train: Shards
    validation: Holdout
    test: Holdout


def split_users(
    data: Interactions | sp.csr_matrix,
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
    none of them has (x) is dropped, unless nobody has it at all. Of a held-out user's n items, in
    the order of the source, int(held_out * n) random ones are held out. Users with too few items
    for that are dropped and counted.

    Args:
        data: users x items, or a sparse matrix of them, whose row and column numbers are the ids.
        n_validation: how many users are for validation; None means 1,000, or a fifth of the users
            where they are fewer than 5,000.
        n_test: how many users are for test; None means the same as for validation.
        seed: seeds the shuffling of the users, and anew the drawing of the validation items and of
            the test items; 98765 is the paper's.
        held_out: fraction of a held-out user's items to be ranked.

    Returns:
        Users in ascending order of their ids, in training and in both held-out sets.

    Raises:
        OptionError: no training user would remain, or an argument is out of its range.
        DataError: no held-out user has enough items, or the data are neither Interactions nor a
            matrix.
    """
    data = Interactions.from_matrix(data)
    sizes = checked_sizes(data, n_validation, n_test, seed, held_out)
    return _split(data, shuffled(data, seed), *sizes, seed, held_out)


def split_folds(
    data: Interactions | sp.csr_matrix,
    n_folds: int = 5,
    n_validation: int | None = None,
    *,
    seed: int = 98765,
    held_out: float = 0.2,
) -> list[Split]:
    """Hold out every user once: strong generalization in k folds.

        fold 1       fold 2       fold 3
        f f h f f    f h f f f    T T T T T    user a: test, validation, training
        T T T T T    f f f f h    f f h f f    user b: training, test, validation
        f h f f f    T T T T T    h f f f f    user c: validation, training, test

    The users are shuffled as in `split_users`, then cut into folds of equal size, or of one user
    more. Each fold is for test once; the `n_validation` users before it (for the first fold, the
    last users) are for validation, and all others for training. Each split is made as `split_users`
    makes it; the last one is exactly the split that it gives for as many users.

    Args:
        n_folds: how many splits to make, at least 2; the others are those of `split_users`.

    Returns:
        A split per fold. Every user is a test user of one of them, or counted in its `n_dropped`.

    Raises:
        OptionError, DataError: as `split_users` raises them, of any fold.
    """
    data = Interactions.from_matrix(data)
    if not isinstance(n_folds, int | np.integer) or not 2 <= n_folds <= data.shape[0]:
        raise OptionError(f"n_folds={n_folds} must be from 2 to the {data.shape[0]:,} users.")
    most = -(-data.shape[0] // n_folds)
    n_validation, _ = checked_sizes(data, n_validation, most, seed, held_out)
    order = shuffled(data, seed)
    sizes = [len(fold) for fold in np.array_split(order, n_folds)]
    # `_split` takes the last users of an order for test: rotate it so that each fold comes last.
    return [
        _split(data, np.roll(order, -end), n_validation, size, seed, held_out)
        for size, end in zip(sizes, np.cumsum(sizes), strict=True)
    ]


def split_shards(
    data: Shards,
    n_validation: int | None = None,
    n_test: int | None = None,
    *,
    seed: int = 98765,
    held_out: float = 0.2,
) -> ShardSplit:
    """Hold out whole users of shards: the same users and items as `split_users` does.

    The training users stay on the disk; validation and test users are in memory. Arguments and
    errors are those of `split_users`.
    """
    n_validation, n_test = checked_sizes(data, n_validation, n_test, seed, held_out)
    ranks = np.split(shuffled(data, seed), [-n_test - n_validation, -n_test])
    train, *others = (data.select_users(np.sort(rank)) for rank in ranks)
    items = np.flatnonzero(train.item_counts)
    validation, test = (
        hold_out_items(part.in_memory().select_items(items), held_out, seed) for part in others
    )
    return ShardSplit(train.select_items(items), validation, test)


def checked_sizes(
    data: Interactions | Shards,
    n_validation: int | None,
    n_test: int | None,
    seed: int,
    held_out: float,
) -> tuple[int, int]:
    """How many users are for validation and for test, where None means the default.

    Raise OptionError if an argument is out of its range, or no training user would remain.
    """
    usual = min(MOST_HELD_OUT, data.shape[0] // 5)
    n_validation = usual if n_validation is None else n_validation
    n_test = usual if n_test is None else n_test
    if not all(isinstance(n, int | np.integer) for n in (n_validation, n_test, seed)):
        raise OptionError("n_validation, n_test and seed must be whole numbers.")
    if not 0 <= seed < 2**32:
        raise OptionError(f"seed={seed} must be from 0 to 2^32 - 1.")
    if min(n_validation, n_test, data.shape[0] - n_validation - n_test) < 1:
        raise OptionError(
            f"n_validation={n_validation} and n_test={n_test} must be at least 1 each and leave "
            f"training users: there are {data.shape[0]:,} users."
        )
    if not 0 < held_out < 1:
        raise OptionError(f"held_out={held_out} must be between 0 and 1.")
    return n_validation, n_test


def shuffled(data: Interactions | Shards, seed: int) -> np.ndarray:
    """The row numbers of the users by ascending id, shuffled: int [users]."""
    return np.random.RandomState(seed).permutation(data.shape[0])


def _split(
    data: Interactions,
    order: np.ndarray,
    n_validation: int,
    n_test: int,
    seed: int,
    held_out: float,
) -> Split:
    """A split by an order of the users: the last are for test, those before for validation."""
    train, validation, test = divided(data, order, n_validation, n_test)
    return Split(
        train, hold_out_items(validation, held_out, seed), hold_out_items(test, held_out, seed)
    )


def divided(
    data: Interactions, order: np.ndarray, n_validation: int, n_test: int
) -> list[Interactions]:
    """Training, validation and test users, with the items that a training user or nobody has."""
    ascending = np.argsort(data.user_ids)
    ranks = np.split(order, [-n_test - n_validation, -n_test])
    parts = [data.select_users(ascending[np.sort(rank)]) for rank in ranks]
    items = (parts[0].item_counts > 0) | (data.item_counts == 0)
    return [part.select_items(items) for part in parts]


def hold_out_items(
    data: Interactions | sp.csr_matrix, fraction: float = 0.2, seed: int = 98765
) -> Holdout:
    """Hold out a random part of the items of each user, as `split_users` does of those for test.

    Raises:
        DataError: no user has enough items, or the data are neither Interactions nor a matrix.
    """
    data = Interactions.from_matrix(data)
    marked = drawn(data, fraction, seed)
    return hold_out(data, ~marked, marked)


def drawn(data: Interactions, fraction: float, seed: int) -> np.ndarray:
    """Draw a random part of the items of each user: bool [nnz]."""
    random = np.random.RandomState(seed)
    positions = np.arange(data.matrix.nnz) if data.positions is None else data.positions
    order = np.lexsort((positions, data.rows))
    lengths = np.diff(data.matrix.indptr)
    sizes = (fraction * lengths).astype(int)
    marked = np.zeros(len(order), dtype=bool)
    for user in np.flatnonzero(sizes):  # the reference draws for one user after the other
        chosen = random.choice(lengths[user], size=sizes[user], replace=False)
        marked[order[data.matrix.indptr[user] + chosen]] = True
    return marked
