"""The multinomial log-likelihood of the last layer, computed a tile of items at a time.

All logits, [users, items] in float32, never exist at once.

The same function as `objectives.multinomial_log_likelihood` of the logits, which is its
specification and its test.
"""

from typing import Any, cast

import torch
from torch.autograd.function import once_differentiable

from recvae.engine.batch import Batch
from recvae.engine.groups import ALONE, Group

TILE_CELLS = {"cpu": 2**19, "cuda": 2**25}
"""How many logits a tile has: as many as fit into a core's cache, or keep a GPU busy."""
LEAST = -40.0
"""The lowest log-probability that a tile may have; a lower one would add nothing in float32."""


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

    A tile has the logits of some items for all users. Its softmax is computed while the logits are
    in the cache, and kept in `precision` for the gradient. The log-partitions of the tiles, in
    float32, are combined at the end into that of all items. The backward pass rescales the tiles by
    them, after the counts have been subtracted.

    With tensor parallel over items, each process has the weights, biases and targets of its own
    items, and the result is the likelihood over all items.

    Args:
        hidden: float32 [users, width].
        weight: float32 [items, width].
        bias: float32 [items].
        targets: counts > 0, [users, items].
        precision: the type in which the three matrix products are computed; they add up in
            float32.
        group: the processes among which the items are divided.

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
        # A tile is `width` items of all users; only one tile of logits exists at a time.
        tiles = torch.split(bias, width), torch.split(probabilities, width, dim=1)
        for part, offset, kept in zip(weights, *tiles, strict=True):
            logits = inputs @ part.T + offset
            # The softmax among the tile's items alone: P(item | tile).
            within = logits.softmax(dim=1)
            # At the largest logit m, softmax = exp(m - log-partition): so the tile's log-partition
            # is m minus the log of the largest probability, and needs no second pass of exp.
            normalizers.append(logits.amax(dim=1) - within.amax(dim=1).log())
            kept.copy_(within)
        # The log-partition over all tiles, then over the items of all processes.
        parts, sizes = torch.stack(normalizers), group.sum(targets.sum(targets.values))
        normalizer = group.all_gather(parts.logsumexp(dim=0)).logsumexp(dim=0)
        # n P(tile) for each tile and user: times P(item | tile) it is n softmax over all items.
        # The clamp keeps it above 0, since the backward pass divides by it.
        scales = (parts - normalizer).clamp(min=LEAST).exp() * sizes
        # sum_i x_i logit_i in float32, from the non-zero counts alone: (x W) . hidden + x . bias.
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
        # The gradient in the logits is x - n softmax = -scale (P(item | tile) - x / scale). So the
        # counts are subtracted at their few entries, in place, which gives the part in brackets.
        present = (ctx.targets.values / scales[columns // width, rows]).to(probabilities.dtype)
        excess = probabilities.index_put_((rows, columns), -present, accumulate=True)
        d_hidden, d_bias = torch.zeros_like(hidden), hidden.new_empty(ctx.targets.n_items)
        learns = ctx.needs_input_grad[1]
        d_weight = hidden.new_empty(len(d_bias), hidden.shape[1]) if learns else None
        # Tile by tile: times the user's scale and the gradient from above, in the thin matrices
        # [users, width] instead of the tile.
        for number, scale in enumerate(-upstream[:, None] * scales[..., None]):
            items = slice(number * width, (number + 1) * width)
            tile = excess[:, items]
            d_hidden.addcmul_(tile @ weights[number], scale)
            d_bias[items] = (tile.T @ scale.to(tile.dtype))[:, 0]
            if d_weight is not None:
                d_weight[items] = tile.T @ (scale * hidden).to(tile.dtype)
        # The weights are this process's own, but the gradient of `hidden` is a sum over all items.
        return ctx.group.sum(d_hidden), d_weight, d_bias, None, None, None


def _width(hidden: torch.Tensor) -> int:
    """How many items a tile has, so that its logits for all users are about TILE_CELLS."""
    cells = TILE_CELLS.get(hidden.device.type, TILE_CELLS["cuda"])
    return max(1, cells // max(1, len(hidden)))
