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
    """Users' rows, of which batches are made.

    Attributes:
        n_users: how many users there are.
        device: where the batches go.
    """

    n_users: int
    device: torch.device

    @abstractmethod
    def batches(self, size: int, order: np.random.Generator, first: int) -> Iterator[Batch]:
        """All users in an order drawn anew, so many a batch, but for the `first` of the order."""


class Resident(BatchSource):
    """CSR rows that stay on a device, where any of them are gathered into a batch.

    Where a row begins is known beside the device too, so that nothing waits for it.
    """

    def __init__(self, matrix: sp.csr_matrix, device: torch.device) -> None:
        self.n_users, self._n_items = matrix.shape
        self.device = device
        self._starts = torch.from_numpy(matrix.indptr.astype(np.int64))
        columns, values = (np.require(a, requirements="W") for a in (matrix.indices, matrix.data))
        self._columns = torch.from_numpy(columns).to(device)
        self._values = torch.from_numpy(values).to(device, torch.float32)

    def batches(self, size: int, order: np.random.Generator, first: int) -> Iterator[Batch]:
        """Any user may come in any batch."""
        users = order.permutation(self.n_users)
        for start in range(first, self.n_users, size):
            yield self.take(users[start : start + size])

    def take(self, chosen: np.ndarray) -> Batch:
        """Gather rows, int64 [users], in their order."""
        users, device = torch.from_numpy(chosen), self.device
        starts, ends = self._starts[users], self._starts[users + 1]
        offsets = torch.cat([starts.new_zeros(1), (ends - starts).cumsum(dim=0)])
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
    """The training users in mini-batches, in a new random order each time one goes through them.

    Attributes:
        source: their rows.
        size: users in a batch.
        generator: draws the orders.
        group: the processes that share the users of each batch.
        done: batches of the present order that were given.
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
        """Go through all users once, or through those that a loaded state has left."""
        for batch in self.source.batches(self.size, self.generator, self.done * self.size):
            self.done += 1
            alone = self.group.size == 1
            yield batch if alone else batch.part(self.group.part(len(batch)))
        self.done, self._before = 0, self.generator.bit_generator.state

    def state_dict(self) -> dict[str, Any]:
        """What `load_state_dict` takes: the generator before the present order, and `done`."""
        return {"generator": dict(self._before), "done": self.done}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from a state."""
        self._before = self.generator.bit_generator.state = state["generator"]
        self.done = count(state["done"], most=len(self))
