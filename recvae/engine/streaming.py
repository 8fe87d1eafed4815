"""Streaming: mini-batches from shards on the disk, a few of which are in memory at a time."""

from collections.abc import Iterator

import numpy as np
import scipy.sparse as sp
import torch

from recvae.data.shards import CsrOrShards, Shards
from recvae.engine.batch import Batch
from recvae.engine.batches import BatchSource, Resident

WINDOW = 4
"""How many shards are in memory at a time; their users are mixed."""


class Streamed(BatchSource):
    """Batches of the users of shards: shards come in a random order, a few of them mixed.

    Every user comes once. The order depends on the generator alone, and to go on from a place in
    it, no shard is read that is done.
    """

    def __init__(self, shards: Shards, device: torch.device) -> None:
        self.n_users = shards.shape[0]
        self.device = device
        self._shards = shards

    def batches(self, size: int, order: np.random.Generator, first: int) -> Iterator[Batch]:
        """All users in a random order, in batches of `size`; see `BatchSource`."""
        for rows in self._rows(size, order, first):
            yield Batch.of(rows, self.device)

    def _rows(self, size: int, order: np.random.Generator, first: int) -> Iterator[sp.csr_matrix]:
        """The rows of each batch; users that do not fill a batch go on into the next window."""
        # Whole batches of each window; the users that remain begin the next window's first batch.
        rest: list[sp.csr_matrix] = []
        for window in self._windows(order, first):
            rows = sp.vstack([*rest, window], format="csr")
            end = rows.shape[0] // size * size
            for start in range(0, end, size):
                yield rows[start : start + size]
            rest = [rows[end:]] if end < rows.shape[0] else []
        yield from rest

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


def batch_source(train: CsrOrShards, device: torch.device) -> BatchSource:
    """Training users, in memory or on the disk, as a source of batches."""
    return Streamed(train, device) if isinstance(train, Shards) else Resident(train, device)
