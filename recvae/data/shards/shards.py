"""Shards: users x items on the disk, of which some users and items can be selected."""

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from os import PathLike
from pathlib import Path
from typing import Self, TypeAlias

import numpy as np
import pandas as pd
import scipy.sparse as sp

from recvae.data.interactions import Interactions
from recvae.data.shards.files import CURE, KIND, Shard, read_manifest, read_shard
from recvae.disk.paths import path_of
from recvae.disk.store import Store, Stored
from recvae.errors import DataError


@dataclass(frozen=True, eq=False)
class Shards:
    """Users x items in the files of a folder; only one file at a time is in memory.

    It has the attributes of `Interactions` that models and splits use, except the matrix.

    Attributes:
        saved: the store with the files.
        shards: the shards, in ascending order of the users' raw ids.
        all_items: a line per item of the files, indexed by raw item id, without columns.
        rows: int64, the numbers of the selected users, ascending; None for all.
        columns: int64, the numbers of the selected items, ascending; None for all.
        counts: int64 [items], how many users have each item; None if unknown.
        weigh: applied to the matrix of each file as it is read, to change its weights; None keeps
            them.
    """

    saved: Stored
    shards: tuple[Shard, ...]
    all_items: pd.DataFrame
    rows: np.ndarray | None = None
    columns: np.ndarray | None = None
    counts: np.ndarray | None = None
    weigh: Callable[[sp.csr_matrix], sp.csr_matrix] | None = None

    def __len__(self) -> int:
        return len(self.shards)

    def __iter__(self) -> Iterator[Interactions]:
        return map(self.read, range(len(self)))

    def read(self, number: int) -> Interactions:
        """Read the selected users of one file, after its checksum was verified.

        Raises:
            DataError: the file is damaged.
        """
        data = self._whole(*self.shards[number])
        if self.rows is not None:
            first, end = self._starts[number : number + 2]
            own = slice(*np.searchsorted(self.rows, [first, end]))
            data = data.select_users(self.rows[own] - first)
        if self.columns is not None:
            data = data.select_items(self.columns)
        return data if self.weigh is None else replace(data, matrix=self.weigh(data.matrix))

    @property
    def shape(self) -> tuple[int, int]:
        """(users, items)."""
        return int(self.sizes.sum()), len(self.items)

    @property
    def items(self) -> pd.DataFrame:
        """A line per item, indexed by raw item id."""
        return self.all_items if self.columns is None else self.all_items.iloc[self.columns]

    @property
    def user_ids(self) -> pd.Index:
        """Raw user ids, in row order; reads them from all files."""
        return self.in_memory().user_ids

    @property
    def min_weight(self) -> float | None:
        """The least weight of a like; what weighed less is not in the shards."""
        return self.saved.facts.get("min_weight")

    @property
    def item_ids(self) -> pd.Index:
        """Raw item ids, in column order."""
        return self.items.index

    @cached_property
    def sizes(self) -> np.ndarray:
        """int64 [files]: how many users of each file are selected."""
        if self.rows is None:
            return np.diff(self._starts)
        return np.diff(np.searchsorted(self.rows, self._starts))

    @cached_property
    def item_counts(self) -> np.ndarray:
        """int64 [items]: how many users have each item; counted in all files if unknown."""
        if self.counts is not None:
            return self.counts
        none = np.zeros(len(self.items), dtype=np.int64)
        return sum((self.read(number).item_counts for number in self._used), none)

    def select_users(self, rows: np.ndarray) -> Self:
        """Select users by their numbers among all users of the files, ascending."""
        rows = rows if self.rows is None else self.rows[rows]
        return replace(self, rows=rows, counts=None)

    def select_items(self, columns: np.ndarray) -> Self:
        """Select items by their numbers among all items of the files, ascending."""
        chosen = columns if self.columns is None else self.columns[columns]
        return replace(self, columns=chosen, counts=self.item_counts[columns])

    def weighed(self, weigh: Callable[[sp.csr_matrix], sp.csr_matrix]) -> Self:
        """The same shards, with `weigh` applied to the matrix of each file as it is read."""
        return replace(self, weigh=weigh)

    def in_memory(self) -> Interactions:
        """The selected users and items in memory; positions are comparable within a user alone."""
        parts = [self.read(number) for number in self._used]
        return Interactions(
            sp.vstack([part.matrix for part in parts], format="csr"),
            pd.concat([part.users for part in parts]),
            self.items,
            positions=np.concatenate([part.positions for part in parts]),
        )

    def fingerprint(self) -> str:
        """A checksum of the files and of the selection: 16 hexadecimal digits."""
        files = (self.saved.files[shard.name].checksum for shard in self.shards)
        digest = hashlib.sha256("".join(files).encode())
        digest.update(pd.util.hash_pandas_object(self.item_ids, index=False).to_numpy().data)
        digest.update(b"" if self.rows is None else self.rows.data)
        return digest.hexdigest()[:16]

    def _whole(self, name: str, n_users: int) -> Interactions:
        """All users of one of the files."""
        try:
            data = read_shard(self.saved.read(name), self.all_items)
            if len(data.users) != n_users:
                raise ValueError(f"it has {len(data.users)} users, not {n_users}")
        except Exception as error:  # whatever a parser makes of a damaged file
            path = self.saved.store.folder / f"{name}.parquet"
            raise DataError(f"{path} is damaged or missing ({error}): {CURE}") from error
        return data

    @cached_property
    def _starts(self) -> np.ndarray:
        return np.cumsum([0, *(shard.n_users for shard in self.shards)])

    @property
    def _used(self) -> np.ndarray:
        return np.flatnonzero(self.sizes)

    def __repr__(self) -> str:
        n_users, n_items = self.shape
        return (
            f"Shards({n_users:,} users x {n_items:,} items, "
            f"{self.item_counts.sum():,} interactions, {len(self)} files)"
        )


CsrOrShards: TypeAlias = sp.csr_matrix | Shards
"""Users x items in memory, or on the disk."""


def has_shards(folder: Path) -> bool:
    """Whether a folder has shards."""
    return Store(folder, KIND).manifest.is_file()


def read_shards(folder: str | PathLike[str]) -> Shards:
    """Open a folder of shards; the users stay on the disk.

    Raises:
        MissingFileError: the folder has no shards.
        DataError: the manifest of the folder is damaged.
    """
    folder = path_of(folder)
    saved, shards, counts = read_manifest(folder)
    items = pd.DataFrame(index=counts.index)
    return Shards(saved, shards, items, counts=counts.to_numpy(copy=True))
