"""Splits: divide data into what a model is trained on and what it is evaluated on.

In the drawn matrices users are rows and items are columns; `T` is trained on, `f` is folded in
(shown to the model as history), `h` is held out (to be ranked high), `x` is not used at all.
"""

from recvae.data.splits.holdout import Holdout, Split
from recvae.data.splits.items import split_items
from recvae.data.splits.published import SplitWarning, read_split
from recvae.data.splits.time import split_repeats, split_time
from recvae.data.splits.users import (
    ShardSplit,
    hold_out_items,
    split_folds,
    split_shards,
    split_users,
)
from recvae.data.splits.weak import split_interactions, split_last

__all__ = [
    "Holdout",
    "ShardSplit",
    "Split",
    "SplitWarning",
    "hold_out_items",
    "read_split",
    "split_folds",
    "split_interactions",
    "split_items",
    "split_last",
    "split_repeats",
    "split_shards",
    "split_time",
    "split_users",
]
