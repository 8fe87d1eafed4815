"""Batches: CSR rows of users -> mini-batches on the device, in random order."""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from math import ceil
from typing import Any

import numpy as np
import scipy.sparse as sp
import torch

from recvae.engine.batch import Batch
from recvae.engine.groups import ALONE, Group
from recvae.engine.states import count


class BatchSource(ABC):
    """Where batches come from: the rows of the training users, in memory or on the disk.

    Attributes:
        n_users: how many users there are.
        device: where the batches go.
    """

    n_users: int
    device: torch.device

    @abstractmethod
    def batches(self, size: int, order: np.random.Generator, first: int) -> Iterator[Batch]:
        """Draw a new random order of all users; yield it in batches, without the `first` users."""


class Resident(BatchSource):
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
        """All users in one random order, in batches of `size`; see `BatchSource`."""
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

    source: BatchSource
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
