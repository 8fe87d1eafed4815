"""Layers that several nets are made of."""

from dataclasses import dataclass

import torch
from torch import nn

from recvae.engine.batch import Batch
from recvae.engine.groups import ALONE, Group
from recvae.engine.sparse import multiply


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


class SparseLinear(nn.Module):
    """A linear layer for sparse rows: it reads only the weights of items that a row has.

    Attributes:
        weight: [items, outputs], of this process's items.
        bias: [outputs].
        items: which items this process has.
    """

    def __init__(self, n_items: int, n_outputs: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(n_items, n_outputs))
        self.bias = nn.Parameter(torch.empty(n_outputs))
        self.items = ItemPartition()

    def forward(self, batch: Batch) -> torch.Tensor:
        """Map sparse rows [users, items] to [users, outputs]."""
        own = multiply(self.items.own(batch), self.weight)
        return self.items.group.total(own) + self.bias

    def dense(self, rows: torch.Tensor) -> torch.Tensor:
        """Map dense rows [n, items] to [n, outputs]."""
        return torch.addmm(self.bias, rows, self.weight)


class Linear(nn.Linear):
    """A linear layer with uninitialized weights, drawn from no random state."""

    def reset_parameters(self) -> None:
        """Draw nothing: each net draws its own."""


def sample(
    batch: Batch, mean: torch.Tensor, logvar: torch.Tensor, generator: torch.Generator
) -> torch.Tensor:
    """Draw codes from N(mean, exp(logvar)) by the reparameterization trick: [users, latent]."""
    return mean + batch.normal(mean.shape[1], generator) * (0.5 * logvar).exp()
