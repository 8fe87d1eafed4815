"""Products of sparse rows with dense matrices. They read and write only what is needed."""

from typing import Any, cast

import torch
from torch.autograd.function import once_differentiable
from torch.nn.functional import embedding_bag

from recvae.batches import Batch


def multiply(batch: Batch, weight: torch.Tensor) -> torch.Tensor:
    """Multiply sparse rows [users, items] by weights [items, n]: [users, n].

    Differentiable in the weights or, if these are asked for, in the values of the rows.
    """
    if torch.is_grad_enabled() and weight.requires_grad and not batch.values.requires_grad:
        return cast(torch.Tensor, _Product.apply(weight, batch))  # type: ignore[no-untyped-call]
    return _bag(batch.columns, weight, batch.offsets, batch.values)


def multiply_transposed(batch: Batch, dense: torch.Tensor) -> torch.Tensor:
    """Multiply transposed sparse rows [items, users] by a dense [users, n]: [items, n]."""
    order, offsets = batch.by_item
    return _bag(batch.rows[order], dense, offsets, batch.values[order])


class _Product(torch.autograd.Function):
    """Its gradient is gathered item by item, each written once."""

    @staticmethod
    def forward(ctx: Any, weight: torch.Tensor, batch: Batch) -> torch.Tensor:
        ctx.batch = batch
        return _bag(batch.columns, weight, batch.offsets, batch.values)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: torch.Tensor) -> tuple[torch.Tensor, None]:
        return multiply_transposed(ctx.batch, gradient), None


def _bag(
    rows: torch.Tensor, weight: torch.Tensor, offsets: torch.Tensor, values: torch.Tensor
) -> torch.Tensor:
    return embedding_bag(
        rows,
        weight,
        offsets,
        mode="sum",
        per_sample_weights=values,
        include_last_offset=True,
    )
