"""Batches: rows of users, in memory or in shards -> mini-batches on the device, in random order."""

from collections.abc import Iterator
from dataclasses import dataclass
from math import ceil
from typing import Any

import numpy as np
import scipy.sparse as sp
import torch

from recvae.data.shards import CsrOrShards, Shards
from recvae.engine.batch import Batch
from recvae.engine.groups import ALONE, Group
from recvae.engine.states import count

WINDOW = 4
"""How many shards are in memory at a time; their users are mixed."""


class Resident:
    """CSR rows that are copied to the device once; each batch is gathered there.

    The row offsets also stay on the CPU, so that no step waits for the device to tell them.
    """

    def __init__(self, matrix: sp.csr_matrix, device: torch.device) -> None:
        self.n_users, self._n_items = matrix.shape
        self.device = device
        self._starts = torch.from_numpy(matrix.indptr.astype(np.int64))
        columns, values = (np.require(a, requirements="W") for a in (matrix.indices, matrix.data))
        self._columns = torch.from_numpy(columns).to(device)
        self._values = torch.from_numpy(values).to(device, torch.float32)

    def batches(self, size: int, order: np.random.Generator, first: int) -> Iterator[Batch]:
        """Draw an order of all users; yield it in batches of `size`, without the `first` users."""
        users = order.permutation(self.n_users)
        for start in range(first, self.n_users, size):
            yield self.take(users[start : start + size])

    def take(self, chosen: np.ndarray) -> Batch:
        """Gather the rows with these numbers, int64 [users], in this order."""
        users, device = torch.from_numpy(chosen), self.device
        starts, ends = self._starts[users], self._starts[users + 1]
        offsets = torch.cat([starts.new_zeros(1), (ends - starts).cumsum(dim=0)])
        # Entry e of the batch, in row r, is entry e + starts[r] - offsets[r] of all entries.
        moves, lengths, offsets_there = (
            part.to(device, non_blocking=True)
            for part in (starts - offsets[:-1], ends - starts, offsets)
        )
        places = moves.repeat_interleave(lengths, output_size=int(offsets[-1]))
        places += torch.arange(len(places), device=device)
        columns, values = (part.index_select(0, places) for part in (self._columns, self._values))
        return Batch(offsets_there, columns.long(), values, self._n_items)


class Streamed:
    """Batches of the users of shards: shards come in a random order, a few of them mixed.

    Every user comes once. The order depends on the generator alone, and to go on from a place in
    it, no shard is read that is done.
    """

    def __init__(self, shards: Shards, device: torch.device) -> None:
        self.n_users = shards.shape[0]
        self.device = device
        self._shards = shards

    def batches(self, size: int, order: np.random.Generator, first: int) -> Iterator[Batch]:
        """Draw an order of all users; yield it in batches of `size`, without the `first` users."""
        # Whole batches of each window; the users that remain begin the next window's first batch.
        rest: list[sp.csr_matrix] = []
        for window in self._windows(order, first):
            rows = sp.vstack([*rest, window], format="csr")
            end = rows.shape[0] // size * size
            for start in range(0, end, size):
                yield Batch.of(rows[start : start + size], self.device)
            rest = [rows[end:]] if end < rows.shape[0] else []
        yield from (Batch.of(rows, self.device) for rows in rest)

    def _windows(self, order: np.random.Generator, first: int) -> Iterator[sp.csr_matrix]:
        """The users of a few shards at a time, mixed, without the `first` users of the order."""
        shards = order.permutation(len(self._shards))
        for start in range(0, len(shards), WINDOW):
            window = shards[start : start + WINDOW]
            users = order.permutation(self._shards.sizes[window].sum())
            # The generator draws for every window, also for those that are skipped, so that the
            # order goes on as it was.
            if first < len(users):
                parts = [self._shards.read(number).matrix for number in window]
                yield sp.vstack(parts, format="csr")[users[first:]]
            first = max(first - len(users), 0)


def batch_source(train: CsrOrShards, device: torch.device) -> Resident | Streamed:
    """Training users, in memory or on the disk, as a source of batches."""
    return Streamed(train, device) if isinstance(train, Shards) else Resident(train, device)


@dataclass
class Batches:
    """The training users in mini-batches, in a new random order for each iteration.

    Attributes:
        source: their rows.
        size: users in a batch.
        generator: draws the orders.
        group: the data parallel processes, among which each batch is divided.
        done: how many batches of the present order were given already.
    """

    source: Resident | Streamed
    size: int
    generator: np.random.Generator
    group: Group = ALONE
    done: int = 0

    def __post_init__(self) -> None:
        self._before = self.generator.bit_generator.state

    def __len__(self) -> int:
        return ceil(self.source.n_users / self.size)

    def __iter__(self) -> Iterator[Batch]:
        """Go through all users once; after `load_state_dict`, through those that remain."""
        for batch in self.source.batches(self.size, self.generator, self.done * self.size):
            self.done += 1
            alone = self.group.size == 1
            yield batch if alone else batch.part(self.group.part(len(batch)))
        self.done, self._before = 0, self.generator.bit_generator.state

    def state_dict(self) -> dict[str, Any]:
        """For `load_state_dict`: the generator's state before the present order, and `done`."""
        return {"generator": dict(self._before), "done": self.done}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from a state."""
        self._before = self.generator.bit_generator.state = state["generator"]
        self.done = count(state["done"], most=len(self))
