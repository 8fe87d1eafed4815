"""Interactions: who interacted with what. Users are rows, items are columns, everywhere."""

import hashlib
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Self

import numpy as np
import pandas as pd
import scipy.sparse as sp

from recvae.data import matrices
from recvae.data.item_info import described, extended
from recvae.errors import DataError

NO_TIMES = "the interactions have no timestamps: name their column by timestamp=..."


@dataclass(frozen=True, eq=False)
class Interactions:
    """A sparse users x items matrix with the raw ids of its rows and columns.

    Attributes:
        matrix: CSR float32 [users, items] of weights > 0, column indices sorted in each row.
        users: one line per row of the matrix, indexed by raw user id; its columns describe the
            users (age, occupation, ...), often there are none.
        items: one line per column of the matrix, indexed by raw item id; its columns describe the
            items (`title`, `genres`, ...), often there are none.
        timestamps: [nnz] seconds since 1970, aligned with `matrix.data`: int64, or float64 if some
            have fractions; None if unknown.
        positions: int64 [nnz] line of the source that each entry came from, aligned with
            `matrix.data`. It keeps the source's order, which a CSR matrix loses; None means that
            the order is that of the columns.
        disliked: bool CSR [users, items], what else the users are known to have met, and did not
            like; None if nothing is known of it. It is not learnt from, and no part of the
            fingerprint.
        min_weight: the least weight of a like, where `filter` told likes from dislikes by it.
    """

    matrix: sp.csr_matrix
    users: pd.DataFrame
    items: pd.DataFrame
    timestamps: np.ndarray | None = None
    positions: np.ndarray | None = None
    disliked: sp.csr_matrix | None = None
    min_weight: float | None = None

    def __post_init__(self) -> None:
        if self.matrix.shape != (len(self.users), len(self.items)):
            raise DataError(
                f"the matrix is {self.matrix.shape}, expected a row for each of {len(self.users)} "
                f"users and a column for each of {len(self.items)} items."
            )
        if self.disliked is not None:
            object.__setattr__(self, "disliked", sp.csr_matrix(self.disliked, dtype=bool))
            if self.disliked.shape != self.matrix.shape:
                raise DataError(f"disliked is {self.disliked.shape}, not {self.matrix.shape}.")
        if not self.matrix.has_canonical_format:
            raise DataError(
                "the matrix must have sorted columns, none twice in a row: call sum_duplicates()."
            )
        weights = self.matrix.data
        if weights.dtype != np.float32 or not ((weights > 0) & (weights < np.inf)).all():
            raise DataError(
                "the weights must be float32, finite and above 0: use "
                "Interactions.from_matrix(matrix)."
            )
        arrays = ("timestamps", self.timestamps, "iuf"), ("positions", self.positions, "iu")
        for name, values, kinds in arrays:
            if values is None:
                continue
            if values.shape != weights.shape or values.dtype.kind not in kinds:
                raise DataError(f"{name} must be numbers [{len(weights)}], aligned with the data.")

    @classmethod
    def from_matrix(cls, data: "Interactions | sp.spmatrix | sp.sparray") -> "Interactions":
        """Wrap a sparse matrix, its row and column numbers serving as raw ids."""
        if isinstance(data, Interactions):
            return data
        matrix = matrices.as_csr(data)
        n_users, n_items = matrix.shape
        return cls(matrix, _table_of(n_users, "user"), _table_of(n_items, "item"))

    @property
    def user_ids(self) -> pd.Index:
        """Raw user ids, in row order."""
        return self.users.index

    @property
    def item_ids(self) -> pd.Index:
        """Raw item ids, in column order."""
        return self.items.index

    @property
    def shape(self) -> tuple[int, int]:
        """(users, items)."""
        n_users, n_items = self.matrix.shape
        return n_users, n_items

    @property
    def item_counts(self) -> np.ndarray:
        """int64 [items]: how many users have each item."""
        return np.bincount(self.matrix.indices, minlength=self.matrix.shape[1])

    @property
    def has_times(self) -> bool:
        """Whether there are timestamps, and not all of them are the same."""
        return self.timestamps is not None and bool(np.ptp(self.timestamps))

    @property
    def rows(self) -> np.ndarray:
        """int64 [nnz]: the row of each entry, aligned with `matrix.indices`."""
        return matrices.rows_of(self.matrix)

    def keep(self, entries: np.ndarray) -> Self:
        """Keep the entries marked in a boolean [nnz]; no user and no item is dropped.

        Raises:
            OptionError: this is no boolean mask of all entries.
        """
        return self._take(matrices.only(self._numbers, entries))

    def in_order(self, after: int = 0) -> Self:
        """Weigh each entry by its place among its user's in time: after + 1, after + 2, ...

        Of equal timestamps the one that comes later in the source is the later one.

        Raises:
            DataError: there are no timestamps.
        """
        places = (self._places + after).astype(np.float32)
        return replace(self, matrix=matrices.with_weights(self.matrix, places), min_weight=None)

    @cached_property
    def _places(self) -> np.ndarray:
        """int64 [nnz]: the place of each entry among its user's in time, from 1."""
        if self.timestamps is None:
            raise DataError(NO_TIMES)
        ties = np.arange(self.matrix.nnz) if self.positions is None else self.positions
        return matrices.rank_in_rows(self.matrix, ties, self.timestamps) + 1

    def select_users(self, rows: np.ndarray) -> Self:
        """Take rows, in the order given (row numbers, or a boolean mask).

        Raises:
            OptionError: there are no such rows, or the mask is not of all users.
        """
        rows = matrices.as_numbers(rows, self.matrix.shape[0])
        disliked = None if self.disliked is None else self.disliked[rows]
        return self._take(self._numbers[rows], users=self.users.iloc[rows], disliked=disliked)

    def select_items(self, columns: np.ndarray) -> Self:
        """Take columns in ascending order (column numbers, or a boolean mask); drop the others.

        Raises:
            OptionError: there are no such columns, or the mask is not of all items.
        """
        columns = np.unique(matrices.as_numbers(columns, self.matrix.shape[1]))
        disliked = None if self.disliked is None else self.disliked[:, columns]
        items = self.items.iloc[columns]
        return self._take(self._numbers[:, columns], items=items, disliked=disliked)

    def filter(
        self,
        *,
        min_weight: float | None = None,
        min_user_items: int = 1,
        min_item_users: int = 1,
        k_core: bool = False,
    ) -> Self:
        """Part likes from dislikes, then drop rare items, then users with few items.

        Args:
            min_weight: entries of at least this weight are likes (for example ratings >= 4); the
                others become `disliked`.
            min_user_items: keep users who like at least this many items; 0 keeps those, too, who
                dislike some and like none.
            min_item_users: keep items that at least this many users like, or with 0 all.
            k_core: repeat the last two until both hold at once; otherwise each is applied once,
                items first, as Liang et al. (2018) do.

        Raises:
            DataError: no interaction remains.
        """
        kept = self if min_weight is None else self.part(min_weight)
        while True:
            before = kept.shape
            kept = kept.select_items(kept.item_counts >= min_item_users)
            kept = kept.select_users(np.diff(kept.matrix.indptr) >= min_user_items)
            if not k_core or kept.shape == before:
                break
        if min_item_users:
            kept = kept.select_items(kept.item_counts > 0)
        if not kept.matrix.nnz and not (kept.disliked is not None and kept.disliked.nnz):
            raise DataError(
                f"no interaction is left of {self.matrix.nnz:,} after min_weight={min_weight}, "
                f"min_user_items={min_user_items}, min_item_users={min_item_users}: lower them."
            )
        return kept

    def with_item_info(self, table: Any) -> Self:
        """Attach columns that describe the items, for example their titles.

        Args:
            table: a dataframe with a line per item: of pandas, indexed by raw item id; or of
                pandas without a name of its index, Polars, Arrow or DuckDB, with the ids in a
                column `item`. Items that are not in the data are ignored. A value in the table
                replaces the old one; where it has none, the old one stays.

        Raises:
            DataError: this is no dataframe, or has no ids; two columns have one name; an item has
                more than one line, or no item has any.
        """
        return replace(self, items=described(self.items, table, "item"))

    def with_user_info(self, table: Any) -> Self:
        """Attach columns that describe the users, such as their ages: see `with_item_info`."""
        return replace(self, users=described(self.users, table, "user"))

    def with_items(self, table: Any) -> Self:
        """Attach what a table says of the items, as `with_item_info` does, and add its other items.

        Items that nobody has become columns after all others. A model can recommend them if it is
        fitted with `item_features`. Filters drop them: add them after these.

        Raises:
            DataError: this is no DataFrame, or has no ids; two columns have one name; an item has
                more than one line; ids are integers in one and text in the other.
        """
        items = extended(self.items, table, "item")
        return self._sized((self.shape[0], len(items)), items=items).with_item_info(table)

    def with_users(self, table: Any) -> Self:
        """Attach what a table says of the users, and add its other users: see `with_items`."""
        users = extended(self.users, table, "user")
        return self._sized((len(users), self.shape[1]), users=users).with_user_info(table)

    def _sized(self, shape: tuple[int, int], **tables: Any) -> Self:
        """A copy with empty rows and columns after its own."""
        disliked = None if self.disliked is None else matrices.sized(self.disliked, shape)
        return replace(self, matrix=matrices.sized(self.matrix, shape), disliked=disliked, **tables)

    def part(self, min_weight: float) -> Self:
        """Part likes, entries of at least this weight, from all others, which become `disliked`."""
        light = self.matrix.data < min_weight
        disliked = self.keep(light).matrix.astype(bool)
        if self.disliked is not None:
            disliked = disliked + self.disliked
        return replace(self.keep(~light), disliked=disliked, min_weight=min_weight)

    @property
    def _numbers(self) -> sp.csr_matrix:
        """CSR int64 [users, items]: the number of each entry, in its cell."""
        return matrices.with_weights(self.matrix, np.arange(self.matrix.nnz))

    def _take(self, numbers: sp.csr_matrix, **changes: Any) -> Self:
        """A copy with the entries only whose numbers are in these cells."""
        taken = numbers.data
        cells = self.matrix.data[taken], numbers.indices, numbers.indptr
        return replace(
            self,
            matrix=sp.csr_matrix(cells, shape=numbers.shape),
            timestamps=None if self.timestamps is None else self.timestamps[taken],
            positions=None if self.positions is None else self.positions[taken],
            **changes,
        )

    def fingerprint(self) -> str:
        """A checksum of the matrix and its ids: 16 hexadecimal digits of a SHA-256."""
        digest = hashlib.sha256(repr(self.matrix.shape).encode())
        for array in (
            self.matrix.indptr.astype("<i8"),
            self.matrix.indices.astype("<i4"),
            self.matrix.data.astype("<f4"),
            pd.util.hash_pandas_object(self.user_ids, index=False).to_numpy(),
            pd.util.hash_pandas_object(self.item_ids, index=False).to_numpy(),
        ):
            digest.update(array.data)
        return digest.hexdigest()[:16]

    def __repr__(self) -> str:
        n_users, n_items = self.shape
        density = self.matrix.nnz / max(n_users * n_items, 1)
        return (
            f"Interactions({n_users:,} users x {n_items:,} items, "
            f"{self.matrix.nnz:,} interactions, density {density:.2%})"
        )

    def _repr_html_(self) -> str:
        return f"<p>{self!r}</p>{self.items.head().to_html()}"


def require_timestamps(data: Interactions) -> np.ndarray:
    """The timestamps [nnz]; raise DataError if there are none, or all are the same."""
    timestamps = Interactions.from_matrix(data).timestamps
    if timestamps is None:
        raise DataError(NO_TIMES)
    if not data.has_times:
        raise DataError(
            "all timestamps are the same: what reads the order, or splits by it, needs real ones."
        )
    return timestamps


def _table_of(n: int, name: str) -> pd.DataFrame:
    return pd.DataFrame(index=pd.Index(np.arange(n), name=name))
