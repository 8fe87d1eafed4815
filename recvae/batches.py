"""Batches: CSR rows of users -> mini-batches of tensors on the device. They stay sparse."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Self

import numpy as np
import scipy.sparse as sp
import torch
from torch.nn.functional import embedding_bag

from recvae.groups import ALONE, Group
from recvae.states import count


@dataclass(frozen=True)
class Place:
    """Where a batch is in the whole that several processes share.

    Attributes:
        users: which of the whole's users it has.
        n_users: how many there are.
        entries: which of its entries.
        n_entries: how many there are.
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
        place: what it is a part of, if several processes share the users of a batch.
    """

    offsets: torch.Tensor
    columns: torch.Tensor
    values: torch.Tensor
    n_items: int
    place: Place | None = None

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
        """int64 [nnz]: which of the users each entry belongs to."""
        users = torch.arange(len(self), device=self.offsets.device)
        return users.repeat_interleave(self.offsets.diff(), output_size=len(self.columns))

    @cached_property
    def by_item(self) -> torch.Tensor:
        """int64 [nnz]: the order of the entries by item, and by user within an item."""
        return self.columns.argsort(stable=True)

    def sum(self, values: torch.Tensor) -> torch.Tensor:
        """Sum values [nnz] of the entries by user: [users]."""
        return values.new_zeros(len(self)).index_add(0, self.rows, values)

    def multiply(self, weight: torch.Tensor) -> torch.Tensor:
        """Multiply the rows [users, items] by weights [items, outputs]: [users, outputs].

        Where weights are learnt, `recvae.sparse.multiply` has the better gradient.
        """
        return embedding_bag(
            self.columns,
            weight,
            self.offsets,
            mode="sum",
            per_sample_weights=self.values,
            include_last_offset=True,
        )

    def inner(self, dense: torch.Tensor) -> torch.Tensor:
        """Inner product of each row with that of a dense [users, items]: [users]."""
        return self.sum(self.values * dense[self.rows, self.columns])

    def normalized(self) -> Self:
        """Scale each row to length 1; an empty row stays empty."""
        norms = self.sum(self.values.square()).sqrt()
        return replace(self, values=self.values / norms[self.rows])

    def dropout(self, rate: float, generator: torch.Generator) -> Self:
        """Zero each entry with probability `rate` and scale up the others to make up for it."""
        if rate == 0:
            return self
        kept = self.uniform(generator) >= rate
        return replace(self, values=self.values * kept / (1 - rate))

    def split(self, rate: float, generator: torch.Generator) -> tuple[Self, Self]:
        """Part the entries at random: those kept, and with probability `rate`, those left out."""
        left = self.uniform(generator) < rate
        return self._only(~left), self._only(left)

    def part(self, users: slice) -> Self:
        """The rows of some users, which know their place in the whole."""
        first, end = self.offsets[[users.start, users.stop]].tolist()
        entries = slice(first, end)
        return replace(
            self,
            offsets=self.offsets[users.start : users.stop + 1] - first,
            columns=self.columns[entries],
            values=self.values[entries],
            place=Place(users, len(self), entries, len(self.columns)),
        )

    def within(self, items: slice) -> Self:
        """The rows of some items, whose columns are counted from the first of them."""
        there = (self.columns >= items.start) & (self.columns < items.stop)
        found = self._only(there)
        return replace(found, columns=found.columns - items.start, n_items=items.stop - items.start)

    @property
    def share(self) -> float:
        """The share of the users of the whole that it has."""
        return 1.0 if self.place is None else len(self) / self.place.n_users

    def uniform(self, generator: torch.Generator) -> torch.Tensor:
        """Draw from 0 to 1 for each entry, [nnz]; the whole's are drawn, whichever part it is."""
        n, own = len(self.values), slice(None)
        if self.place is not None:
            n, own = self.place.n_entries, self.place.entries
        return torch.rand(n, generator=generator, device=self.values.device)[own]

    def normal(self, width: int, generator: torch.Generator) -> torch.Tensor:
        """Draw from N(0, I) for each user, [users, width], likewise."""
        n, own = len(self), slice(None)
        if self.place is not None:
            n, own = self.place.n_users, self.place.users
        return torch.randn(n, width, generator=generator, device=self.values.device)[own]

    def _only(self, chosen: torch.Tensor) -> Self:
        before = torch.cat([chosen.new_zeros(1, dtype=torch.int64), chosen.cumsum(dim=0)])
        return replace(
            self,
            offsets=before[self.offsets],
            columns=self.columns[chosen],
            values=self.values[chosen],
        )


class Resident:
    """CSR rows that stay on a device, where any of them are gathered into a batch.

    Where a row begins is known beside the device too, so that nothing waits for it.
    """

    def __init__(self, matrix: sp.csr_matrix, device: torch.device) -> None:
        self._starts = torch.from_numpy(matrix.indptr.astype(np.int64))
        columns, values = (np.require(a, requirements="W") for a in (matrix.indices, matrix.data))
        self._columns = torch.from_numpy(columns).to(device)
        self._values = torch.from_numpy(values).to(device, torch.float32)
        self._n_items = matrix.shape[1]

    def take(self, chosen: np.ndarray) -> Batch:
        """Gather rows, int64 [users], in their order."""
        users, device = torch.from_numpy(chosen), self._columns.device
        starts, ends = self._starts[users], self._starts[users + 1]
        offsets = torch.cat([starts.new_zeros(1), (ends - starts).cumsum(dim=0)])
        moves, lengths = (starts - offsets[:-1]).to(device), (ends - starts).to(device)
        places = moves.repeat_interleave(lengths, output_size=int(offsets[-1]))
        places += torch.arange(len(places), device=device)
        columns, values = (part.index_select(0, places) for part in (self._columns, self._values))
        return Batch(offsets.to(device), columns.long(), values, self._n_items)


@dataclass
class Batches:
    """The training users in mini-batches, in a new random order each time one goes through them.

    Attributes:
        matrix: CSR [users, items].
        size: users in a batch.
        device: where the batches go.
        generator: draws the orders.
        sharing: the processes that share the users of each batch.
        done: batches of the present order that were given.
    """

    matrix: sp.csr_matrix
    size: int
    device: torch.device
    generator: np.random.Generator
    sharing: Group = ALONE
    done: int = 0

    def __post_init__(self) -> None:
        self._before = self.generator.bit_generator.state

    def __len__(self) -> int:
        return len(range(0, self.matrix.shape[0], self.size))

    def __iter__(self) -> Iterator[Batch]:
        """Go through all users once, or through those that a loaded state has left."""
        for batch in self._from(self.done * self.size):
            self.done += 1
            alone = self.sharing.size == 1
            yield batch if alone else batch.part(self.sharing.part(len(batch)))
        self.done, self._before = 0, self.generator.bit_generator.state

    def _from(self, first: int) -> Iterator[Batch]:
        """The batches of an order, but for those of its `first` users."""
        order = self.generator.permutation(self.matrix.shape[0])
        for start in range(first, len(order), self.size):
            yield self._resident.take(order[start : start + self.size])

    @cached_property
    def _resident(self) -> Resident:
        return Resident(self.matrix, self.device)

    def state_dict(self) -> dict[str, Any]:
        """What `load_state_dict` takes: the generator before the present order, and `done`."""
        return {"generator": dict(self._before), "done": self.done}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from a state."""
        self._before = self.generator.bit_generator.state = state["generator"]
        self.done = count(state["done"], most=len(self))


def in_blocks(matrix: sp.csr_matrix, size: int = 4096) -> Iterator[sp.csr_matrix]:
    """Cut a CSR matrix into blocks of rows, in order."""
    for start in range(0, matrix.shape[0], size):
        yield matrix[start : start + size]
