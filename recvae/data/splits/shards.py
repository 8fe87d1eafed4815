"""Strong generalization for shards, whose training users stay on the disk."""

from dataclasses import dataclass

import numpy as np

from recvae.data.shards import Shards
from recvae.data.splits.holdout import Holdout
from recvae.data.splits.users import checked_sizes, hold_out_items, shuffled


@dataclass(frozen=True, eq=False)
class ShardSplit:
    """Training shards, validation users to choose a model by, and test users to judge it by."""

    train: Shards
    validation: Holdout
    test: Holdout


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
