"""Batch: the sparse rows of some users, as tensors on the device."""

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Self

import numpy as np
import scipy.sparse as sp
import torch
from torch.nn.functional import embedding_bag


@dataclass(frozen=True)
class BatchPart:
    """The slices of a whole batch's users and entries that one data parallel process has.

    `n_users` and `n_entries` are the whole batch's.
    """

    users: slice
    n_users: int
    entries: slice
    n_entries: int


@dataclass(frozen=True)
class Batch:
    """Some users' rows of a sparse users x items matrix.

    Attributes:
        offsets: int64 [users + 1], where each row begins and ends.
        columns: int64 [nnz], the items.
        values: float32 [nnz], their weights.
        n_items: number of columns.
        place: which part of the whole batch this is; None if it is the whole.
    """

    offsets: torch.Tensor
    columns: torch.Tensor
    values: torch.Tensor
    n_items: int
    place: BatchPart | None = None

    @classmethod
    def of(cls, rows: sp.csr_matrix, device: torch.device) -> Self:
        """Copy CSR rows to a device."""
        return cls(
            offsets=torch.from_numpy(rows.indptr.astype(np.int64)).to(device),
            columns=torch.from_numpy(rows.indices.astype(np.int64)).to(device),
            values=torch.from_numpy(rows.data.astype(np.float32)).to(device),
            n_items=rows.shape[1],
        )

    def __len__(self) -> int:
        return len(self.offsets) - 1

    @cached_property
    def rows(self) -> torch.Tensor:
        """int64 [nnz]: the row of each entry."""
        users = torch.arange(len(self), device=self.offsets.device)
        return users.repeat_interleave(self.offsets.diff(), output_size=len(self.columns))

    @cached_property
    def by_item(self) -> torch.Tensor:
        """int64 [nnz]: the order that sorts the entries by item, and by user within an item."""
        return self.columns.argsort(stable=True)

    def sum(self, values: torch.Tensor) -> torch.Tensor:
        """Sum values [nnz] of the entries by user: [users]."""
        return values.new_zeros(len(self)).index_add(0, self.rows, values)

    def multiply(self, weight: torch.Tensor) -> torch.Tensor:
        """Multiply the rows [users, items] by weights [items, outputs]: [users, outputs].

        For weights that are trained take `recvae.engine.sparse.multiply`: its gradient is faster.
        """
        if torch.compiler.is_exporting():  # ONNX has bags only as a loop over the rows
            sums = weight.new_zeros(self.offsets.shape[0] - 1, weight.shape[1])
            return sums.index_add(0, self.rows, self.values[:, None] * weight[self.columns])
        return embedding_bag(
            self.columns,
            weight,
            self.offsets,
            mode="sum",
            per_sample_weights=self.values,
            include_last_offset=True,
        )

    def inner(self, dense: torch.Tensor) -> torch.Tensor:
        """Inner product of each row with the same row of a dense [users, items]: [users]."""
        return self.sum(self.values * dense[self.rows, self.columns])

    def normalized(self) -> Self:
        """Scale each row to length 1; an empty row stays empty."""
        norms = self.sum(self.values.square()).sqrt()
        return replace(self, values=self.values / norms[self.rows])

    def dropout(self, rate: float, generator: torch.Generator) -> Self:
        """Zero each entry with probability `rate` and scale up the others to make up for it."""
        if rate == 0:
            return self
        stays = self.uniform(generator) >= rate
        return replace(self, values=self.values * stays / (1 - rate))

    def split(self, rate: float, generator: torch.Generator) -> tuple[Self, Self]:
        """Split the entries at random into visible and hidden ones; `rate` is that of hidden."""
        hidden = self.uniform(generator) < rate
        return self._only(~hidden), self._only(hidden)

    def part(self, users: slice) -> Self:
        """The rows of some users, as the part of this batch that one process takes."""
        first, end = self.offsets[[users.start, users.stop]].tolist()
        entries = slice(first, end)
        return replace(
            self,
            offsets=self.offsets[users.start : users.stop + 1] - first,
            columns=self.columns[entries],
            values=self.values[entries],
            place=BatchPart(users, len(self), entries, len(self.columns)),
        )

    def within(self, items: slice) -> Self:
        """The entries of some items alone; columns are counted from the first of these items."""
        there = (self.columns >= items.start) & (self.columns < items.stop)
        found = self._only(there)
        return replace(found, columns=found.columns - items.start, n_items=items.stop - items.start)

    @property
    def fraction(self) -> float:
        """The fraction of the whole batch's users that this part has; 1 for a whole batch."""
        return 1.0 if self.place is None else len(self) / self.place.n_users

    def uniform(self, generator: torch.Generator) -> torch.Tensor:
        """Draw a number from 0 to 1 for each entry: [nnz].

        Every process draws for the whole batch and takes its part, so that the numbers do not
        depend on how many processes there are.
        """
        n, own = len(self.values), slice(None)
        if self.place is not None:
            n, own = self.place.n_entries, self.place.entries
        return torch.rand(n, generator=generator, device=self.values.device)[own]

    def normal(self, width: int, generator: torch.Generator) -> torch.Tensor:
        """Draw from N(0, I) for each user, [users, width], for the whole batch as `uniform`."""
        n, own = len(self), slice(None)
        if self.place is not None:
            n, own = self.place.n_users, self.place.users
        return torch.randn(n, width, generator=generator, device=self.values.device)[own]

    def _only(self, chosen: torch.Tensor) -> Self:
        # How many chosen entries come before each entry; at the row offsets, the new offsets.
        before = torch.cat([chosen.new_zeros(1, dtype=torch.int64), chosen.cumsum(dim=0)])
        return replace(
            self,
            offsets=before[self.offsets],
            columns=self.columns[chosen],
            values=self.values[chosen],
        )
