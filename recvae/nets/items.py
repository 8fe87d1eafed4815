"""Items: which items' weights a process has (tensor parallel over items)."""

from dataclasses import dataclass

import torch

from recvae.engine.batch import Batch
from recvae.engine.groups import ALONE, Group


@dataclass(frozen=True)
class ItemPartition:
    """Which of a net's items this process has.

    Attributes:
        group: the processes among which the items are divided; of one process, it has all.
        n: number of items in all; not used in a group of one.
    """

    group: Group = ALONE
    n: int = 0

    def own(self, batch: Batch) -> Batch:
        """A batch's entries of this process's items, columns counted from the first of these."""
        return batch if self.group.size == 1 else batch.within(self.group.part(self.n))

    def cut(self, weights: torch.Tensor) -> torch.Tensor:
        """This process's rows, copied, of weights [items, ...] of all items."""
        return weights[self.group.part(self.n)].clone()

    def join(self, own: torch.Tensor) -> torch.Tensor:
        """The weights [items, ...] of all items, from the part that each process has."""
        return self.group.join(own, self.n)
