"""Batches: CSR rows of users -> mini-batches on the device, in random order."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import scipy.sparse as sp
import torch

from recvae.engine.batch import Batch
from recvae.engine.groups import ALONE, Group
from recvae.engine.states import count


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
        matrix: CSR [users, items].
        size: users in a batch.
        device: where the batches go.
        generator: draws the orders.
        group: the processes that share the users of each batch.
        done: batches of the present order that were given.
    """

    matrix: sp.csr_matrix
    size: int
    device: torch.device
    generator: np.random.Generator
    group: Group = ALONE
    done: int = 0

    def __post_init__(self) -> None:
        self._before = self.generator.bit_generator.state

    def __len__(self) -> int:
        return len(range(0, self.matrix.shape[0], self.size))

    def __iter__(self) -> Iterator[Batch]:
        """Go through all users once, or through those that a loaded state has left."""
        for batch in self._from(self.done * self.size):
            self.done += 1
            alone = self.group.size == 1
            yield batch if alone else batch.part(self.group.part(len(batch)))
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
