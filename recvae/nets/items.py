"""Items that several processes share: each has the weights of its own."""

from dataclasses import dataclass

import torch

from recvae.engine.batch import Batch
from recvae.engine.groups import ALONE, Group


@dataclass(frozen=True)
class ItemPartition:
    """Which of a net's items this process has.

    Attributes:
        group: the processes that share them.
        n: how many there are, if there are several processes.
    """

    group: Group = ALONE
    n: int = 0

    def own(self, batch: Batch) -> Batch:
        """Rows of this process's items alone."""
        return batch if self.group.size == 1 else batch.within(self.group.part(self.n))

    def cut(self, weights: torch.Tensor) -> torch.Tensor:
        """Of weights [items, ...], those of this process's items."""
        return weights[self.group.part(self.n)].clone()

    def join(self, own: torch.Tensor) -> torch.Tensor:
        """The weights [items, ...] of which each process has its part."""
        return self.group.join(own, self.n)
