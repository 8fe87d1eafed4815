"""The multinomial log-likelihood of a last layer, without the users x items logits in float32.

The same function as `objectives.multinomial_log_likelihood` of the logits, which is its
specification and its test.
"""

from typing import Any, cast

import torch
from torch.autograd.function import once_differentiable

from recvae.engine.batch import Batch
from recvae.engine.groups import ALONE, Group

TILE_CELLS = {"cpu": 2**19, "cuda": 2**25}
"""Logits that are computed at a time: what fits in the cache of a core, or keeps a GPU busy."""
LEAST = -40.0
"""The log of a tile's part of the softmax, at least: less adds nothing to a sum in float32."""


def multinomial_log_likelihood(
    hidden: torch.Tensor,
    weight: torch.Tensor,
    bias: torch.Tensor,
    targets: Batch,
    precision: torch.dtype = torch.float32,
    group: Group = ALONE,
) -> torch.Tensor:
    """Log-likelihood of the counts x under softmax probabilities (Liang et al., 2018, eq. 2).

    sum_i x_i log softmax(hidden @ weight' + bias)_i

    The logits come in tiles of some items for all users. The softmax of each is taken while it is
    in the cache, and kept for the gradient in `precision`. The tiles' normalizers, float32, make
    the whole one at the end. They scale the tiles in the backward pass, once the counts are in.

    Several processes can share the items: each has the weights, biases and targets of its own, and
    the result is that of all.

    Args:
        hidden: float32 [users, width].
        weight: float32 [items, width].
        bias: float32 [items].
        targets: counts > 0, [users, items].
        precision: of the three matrix products; they sum up in float32.
        group: the processes that share the items.

    Returns:
        [users], summed over the items.
    """
    arguments = (hidden, weight, bias, targets, precision, group)
    return cast(torch.Tensor, _LogLikelihood.apply(*arguments))  # type: ignore[no-untyped-call]


class _LogLikelihood(torch.autograd.Function):
    """sum_i x_i logit_i - n log sum_i exp logit_i; its gradient in the logits is x - n softmax."""

    @staticmethod
    def forward(
        ctx: Any,
        hidden: torch.Tensor,
        weight: torch.Tensor,
        bias: torch.Tensor,
        targets: Batch,
        precision: torch.dtype,
        group: Group,
    ) -> torch.Tensor:
        inputs, width = hidden.to(precision), _width(hidden)
        weights = [part.to(precision) for part in torch.split(weight, width)]
        probabilities, normalizers = inputs.new_empty(len(targets), targets.n_items), []
        tiles = torch.split(bias, width), torch.split(probabilities, width, dim=1)
        for part, offset, kept in zip(weights, *tiles, strict=True):
            logits = inputs @ part.T + offset
            within = logits.softmax(dim=1)
            normalizers.append(logits.amax(dim=1) - within.amax(dim=1).log())
            kept.copy_(within)
        parts, sizes = torch.stack(normalizers), group.sum(targets.sum(targets.values))
        normalizer = group.all_gather(parts.logsumexp(dim=0)).logsumexp(dim=0)
        scales = (parts - normalizer).clamp(min=LEAST).exp() * sizes
        observed = (targets.multiply(weight) * hidden).sum(dim=1)
        observed += targets.sum(targets.values * bias[targets.columns])
        ctx.save_for_backward(hidden, probabilities, scales, *weights)
        ctx.targets, ctx.group = targets, group
        return group.sum(observed) - sizes * normalizer

    @staticmethod
    @once_differentiable
    def backward(
        ctx: Any, upstream: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor | None, torch.Tensor, None, None, None]:
        hidden, probabilities, scales, *weights = ctx.saved_tensors
        rows, columns, width = ctx.targets.rows, ctx.targets.columns, len(weights[0])
        present = (ctx.targets.values / scales[columns // width, rows]).to(probabilities.dtype)
        excess = probabilities.index_put_((rows, columns), -present, accumulate=True)
        d_hidden, d_bias = torch.zeros_like(hidden), hidden.new_empty(ctx.targets.n_items)
        learns = ctx.needs_input_grad[1]
        d_weight = hidden.new_empty(len(d_bias), hidden.shape[1]) if learns else None
        for number, scale in enumerate(-upstream[:, None] * scales[..., None]):
            items = slice(number * width, (number + 1) * width)
            tile = excess[:, items]
            d_hidden.addcmul_(tile @ weights[number], scale)
            d_bias[items] = (tile.T @ scale.to(tile.dtype))[:, 0]
            if d_weight is not None:
                d_weight[items] = tile.T @ (scale * hidden).to(tile.dtype)
        return ctx.group.sum(d_hidden), d_weight, d_bias, None, None, None


def _width(hidden: torch.Tensor) -> int:
    """How many items make a tile."""
    cells = TILE_CELLS.get(hidden.device.type, TILE_CELLS["cuda"])
    return max(1, cells // max(1, len(hidden)))
