"""Padded histories: the batch that a graph reads, with one length for all rows."""

from dataclasses import dataclass
from functools import cached_property
from typing import Self

import torch
from torch.nn.functional import embedding

from recvae.engine.batch import Batch


@dataclass(frozen=True)
class Padded(Batch):
    """A batch with rows of one length, computed with operators that every ONNX runtime has.

    A shorter row is filled up with an item that it has already, with the value 0.

    Attributes:
        columns: int64 [users, length], the items, ascending.
        values: float32 [users, length], 1 or 0.
    """

    @classmethod
    def of_items(cls, items: torch.Tensor, n_items: int) -> Self:
        """Read int64 [users, length]: columns in any order; duplicates and columns < 0 are ignored.

        They are sorted, so that a list depends on the items of a history and not on their order.
        """
        fill = torch.full_like(items[:, :1], -1)
        items = torch.cat([fill, items.clamp(min=-1)], dim=1).sort(dim=1).values
        before, items, last = items[:, :-1], items[:, 1:], items[:, -1:]
        return cls(
            offsets=torch.arange(items.shape[0] + 1, device=items.device) * items.shape[1],
            columns=torch.where(items >= 0, items, last.clamp(min=0)),
            values=(items > before).float(),
            n_items=n_items,
        )

    @cached_property
    def rows(self) -> torch.Tensor:
        """int64 [users, length]: the row of each entry."""
        users = torch.arange(self.columns.shape[0], device=self.columns.device)
        return users[:, None].expand_as(self.columns)

    def sum(self, values: torch.Tensor) -> torch.Tensor:
        """Sum values [users, length] by user: [users]."""
        return values.sum(dim=1)

    def multiply(self, weight: torch.Tensor) -> torch.Tensor:
        """Multiply the rows by weights [items, outputs]: [users, outputs]."""
        return (self.values[:, None] @ embedding(self.columns, weight))[:, 0]
