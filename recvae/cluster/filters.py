"""Filters: `Interactions.filter` for users in shards.

Which items are kept is known to all; which users follows from it, shard by shard.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from recvae.cluster.job import Files, FileTask
from recvae.data.interactions import Interactions
from recvae.data.shards.files import read_shard, write_shard


@dataclass(frozen=True)
class Chosen:
    """What is left of shards after a choice of items, and of users with enough of those.

    Attributes:
        shards: what `Merge` made.
        items: bool [items], which are kept.
        min_user_items: how many of these a user needs.
    """

    shards: Files
    items: np.ndarray
    min_user_items: int

    def read(self, number: int) -> Interactions:
        """The users left of a shard, and the items kept."""
        items = pd.DataFrame(index=pd.RangeIndex(len(self.items)))
        data = read_shard(self.shards[number].read_bytes(), items).select_items(self.items)
        return data.select_users(np.diff(data.matrix.indptr) >= max(self.min_user_items, 1))


@dataclass(frozen=True, kw_only=True)
class Count(FileTask):
    """Count the users that each item has in a shard.

    Attributes:
        chosen: whom to count.
    """

    chosen: Chosen

    def fill(self, number: int, path: Path) -> None:
        """Write the file of a number."""
        counts = self.chosen.read(number).item_counts
        items = np.flatnonzero(self.chosen.items)
        with path.open("wb") as file:
            np.savez(file, items=items[counts > 0], users=counts[counts > 0])


@dataclass(frozen=True, kw_only=True)
class Write(FileTask):
    """Write the users left of a shard, and the items that any has.

    Attributes:
        chosen: who is left.
        items: bool [items], those of the items kept that any user has.
    """

    chosen: Chosen
    items: np.ndarray

    def fill(self, number: int, path: Path) -> None:
        """Write the file of a number."""
        items = self.items[self.chosen.items]
        write_shard(self.chosen.read(number).select_items(items), path)


def choose(
    shards: Files,
    n_items: int,
    *,
    min_user_items: int,
    min_item_users: int,
    k_core: bool,
    count: Callable[[Chosen, str], np.ndarray],
) -> tuple[Chosen, np.ndarray]:
    """Drop rare items, then users with few items; with `k_core` until both minimums hold.

    Args:
        shards: of all users.
        n_items: how many items they have.
        min_user_items: keep users with at least this many items.
        min_item_users: keep items with at least this many users.
        k_core: repeat it.
        count: counts the users int64 [items] of a choice, under a name of its own.

    Returns:
        Who is left, and how many of them have each item.
    """
    everything = Chosen(shards, np.ones(n_items, dtype=bool), 1)
    items, counts, enough = everything.items, count(everything, "all"), max(min_item_users, 1)
    n_rounds = 0
    while True:
        items, n_rounds = items & (counts >= enough), n_rounds + 1
        chosen = Chosen(shards, items, min_user_items)
        counts = count(chosen, f"round{n_rounds}")
        if not k_core or (counts[items] >= enough).all():
            return chosen, counts
