"""Products of sparse rows with dense matrices, whose gradients touch only the rows that were used.

Of a large catalogue, whose weights have a row for each item, the gradient is a sparse tensor: it
holds the rows of the batch's items and no others.
"""

from typing import Any, cast

import torch
from torch.autograd.function import once_differentiable

from recvae.engine.batch import Batch

LARGE = 50_000
"""Weights with more rows than this get sparse gradients from `multiply`."""


def multiply(batch: Batch, weight: torch.Tensor) -> torch.Tensor:
    """Multiply sparse rows [users, items] by weights [items, n]: [users, n].

    Differentiable in the weights, or in the values of the rows if those require a gradient.
    """
    if torch.is_grad_enabled() and weight.requires_grad and not batch.values.requires_grad:
        return cast(torch.Tensor, _Product.apply(weight, batch))  # type: ignore[no-untyped-call]
    return batch.multiply(weight)


def multiply_transposed(batch: Batch, dense: torch.Tensor) -> torch.Tensor:
    """Multiply transposed sparse rows [items, users] by a dense [users, n]: [items, n]."""
    every = torch.arange(batch.n_items + 1, device=dense.device)
    offsets = torch.searchsorted(batch.columns[batch.by_item], every)
    rows, values = batch.rows[batch.by_item], batch.values[batch.by_item]
    return Batch(offsets, rows, values, len(dense)).multiply(dense)


def take(weight: torch.Tensor, rows: torch.Tensor) -> torch.Tensor:
    """The rows [n], ascending, of weights [items, width]: [n, width]; its gradient is sparse."""
    return cast(torch.Tensor, _Rows.apply(weight, rows))  # type: ignore[no-untyped-call]


def _by_rows(rows: torch.Tensor, values: torch.Tensor, n_items: int) -> torch.Tensor:
    """A sparse tensor [items, width] with values [rows, width] in some rows, ascending."""
    shape = (n_items, values.shape[1])
    return torch.sparse_coo_tensor(
        rows[None], values, shape, is_coalesced=True, check_invariants=False
    )


class _Product(torch.autograd.Function):
    """The product, with a gradient in the weights that writes the row of each item once."""

    @staticmethod
    def forward(ctx: Any, weight: torch.Tensor, batch: Batch) -> torch.Tensor:
        ctx.batch, ctx.large = batch, weight.is_leaf and len(weight) > LARGE
        return batch.multiply(weight)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: torch.Tensor) -> tuple[torch.Tensor, None]:
        batch: Batch = ctx.batch
        if not ctx.large:
            return multiply_transposed(batch, gradient), None
        used, columns = torch.unique(batch.columns, return_inverse=True)
        present = Batch(batch.offsets, columns, batch.values, len(used))
        return _by_rows(used, multiply_transposed(present, gradient), batch.n_items), None


class _Rows(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, weight: torch.Tensor, rows: torch.Tensor) -> torch.Tensor:
        ctx.rows, ctx.n_items = rows, len(weight)
        return weight.index_select(0, rows)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: torch.Tensor) -> tuple[torch.Tensor, None]:
        return _by_rows(ctx.rows, gradient, ctx.n_items), None
