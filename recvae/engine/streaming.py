"""Streaming: shards on the disk -> the same mini-batches, in a random order, a few in memory."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp
import torch

from recvae.data.shards import Shards
from recvae.engine.batch import Batch
from recvae.engine.batches import Batches
from recvae.engine.groups import ALONE, Group

WINDOW = 4
"""Shards in memory at a time, whose users are mixed."""


@dataclass
class ShardBatches(Batches):
    """The users of shards in mini-batches: the shards in a random order, a few of them mixed.

    Each way through has every user once. The order is decided by the generator alone, so that
    `state_dict` is that of `Batches`; going on from a state reads no shard that is done.

    Attributes:
        matrix: the shards.
    """

    matrix: Shards

    def _from(self, first: int) -> Iterator[Batch]:
        for rows in self._rows(first):
            yield Batch.of(rows, self.device)

    def _rows(self, first: int) -> Iterator[sp.csr_matrix]:
        """The rows of each batch."""
        left = sp.csr_matrix((0, self.matrix.shape[1]), dtype=np.float32)
        for window in self._windows(first):
            rows = sp.vstack([left, window], format="csr")
            end = rows.shape[0] // self.size * self.size
            for start in range(0, end, self.size):
                yield rows[start : start + self.size]
            left = rows[end:]
        if left.shape[0]:
            yield left

    def _windows(self, first: int) -> Iterator[sp.csr_matrix]:
        """The users of a few shards in a random order, but for the `first` of all."""
        shards = self.generator.permutation(len(self.matrix))
        for start in range(0, len(shards), WINDOW):
            window = shards[start : start + WINDOW]
            order = self.generator.permutation(self.matrix.sizes[window].sum())
            if first < len(order):
                parts = [self.matrix.read(number).matrix for number in window]
                yield sp.vstack(parts, format="csr")[order[first:]]
            first = max(first - len(order), 0)


def batches_of(
    train: "sp.csr_matrix | Shards",
    size: int,
    device: torch.device,
    generator: np.random.Generator,
    group: Group = ALONE,
) -> Batches:
    """Mini-batches of training users, in memory or on the disk."""
    kind = ShardBatches if isinstance(train, Shards) else Batches
    return kind(train, size, device, generator, group)
