"""The multinomial log-likelihood whose gradient is thinned: of rare items it has every fourth.

With logits l and counts x, n in all, it is sum_i x_i l_i - n log Z, Z = sum_i exp l_i. All of that
is computed. Its gradient in l_i is x_i - n p_i, p_i = exp l_i / Z. The x_i are few and all taken.
Of the n p_i those of the common items are taken, and of the rare ones every fourth, four times:

    g_i = x_i - c_i n p_i,   c_i = 1 for common items, else 4 with probability 1/4, or 0.

The mean of c_i is 1 and it is drawn apart from all else, so that the mean of g_i is the gradient,
whatever the weights are. Three in four rare items cost one product instead of three.
"""

from typing import Any, cast

import torch
from torch.autograd.function import once_differentiable

from recvae.engine.batch import Batch
from recvae.engine.groups import ALONE, Group
from recvae.engine.sparse import multiply_transposed
from recvae.engine.tiled import softmax, tile_width

EVERY = 4
COMMON = 4.0
"""How often a batch has an item, on average, that is common; what others add to noise is little."""


def multinomial_log_likelihood(
    hidden: torch.Tensor,
    weight: torch.Tensor,
    bias: torch.Tensor,
    targets: Batch,
    common: torch.Tensor,
    generator: torch.Generator,
    precision: torch.dtype = torch.float32,
    group: Group = ALONE,
) -> torch.Tensor:
    """The log-likelihood of `recvae.engine.tiled`, whose gradient is right on average.

    Args:
        hidden: float32 [users, width].
        weight: float32 [items, width].
        bias: float32 [items].
        targets: counts > 0, [users, items].
        common: bool [items], which of them are never left out.
        generator: draws one number, which rare items are taken.
        precision: see there.
        group: see there.

    Returns:
        [users], summed over the items.
    """
    rare = (~common).nonzero()[:, 0]
    first = torch.randint(EVERY, (1,), generator=generator, device=rare.device)
    taken = torch.arange(len(rare), device=rare.device) % EVERY == first
    parts = [(common.nonzero()[:, 0], 1), (rare[taken], EVERY), (rare[~taken], 0)]
    width = tile_width(hidden)
    tiles = [
        (tile, times) for items, times in parts for tile in torch.split(items, width) if len(tile)
    ]
    arguments = (hidden, weight, bias, targets, tiles, precision, group)
    return cast(torch.Tensor, _LogLikelihood.apply(*arguments))  # type: ignore[no-untyped-call]


class _LogLikelihood(torch.autograd.Function):
    """Keeps the softmax, P(item | tile), of the tiles alone that count at least once."""

    @staticmethod
    def forward(
        ctx: Any,
        hidden: torch.Tensor,
        weight: torch.Tensor,
        bias: torch.Tensor,
        targets: Batch,
        tiles: list[tuple[torch.Tensor, int]],
        precision: torch.dtype,
        group: Group,
    ) -> torch.Tensor:
        inputs, ctx.kept, normalizers = hidden.to(precision), [], []
        for items, times in tiles:
            part = weight.index_select(0, items).to(precision)
            within, normalizer = softmax(inputs, part, bias[items])
            normalizers.append(normalizer)
            if times:
                ctx.kept.append((items, times, part, within.to(precision), normalizer))
        sizes = group.sum(targets.sum(targets.values))
        normalizer = torch.stack(normalizers).logsumexp(dim=0)
        normalizer = group.all_gather(normalizer).logsumexp(dim=0)
        drawn = targets.multiply(weight)
        observed = (drawn * hidden).sum(dim=1)
        observed += targets.sum(targets.values * bias[targets.columns])
        ctx.save_for_backward(hidden, drawn, sizes, normalizer)
        ctx.targets, ctx.group = targets, group
        return group.sum(observed) - sizes * normalizer

    @staticmethod
    @once_differentiable
    def backward(
        ctx: Any, upstream: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor | None, torch.Tensor, None, None, None, None]:
        hidden, drawn, sizes, normalizer = ctx.saved_tensors
        targets, above = ctx.targets, upstream[:, None]
        d_hidden, d_bias = drawn * above, hidden.new_zeros(targets.n_items)
        d_bias.index_add_(0, targets.columns, targets.values * upstream[targets.rows])
        learns = ctx.needs_input_grad[1]
        d_weight = multiply_transposed(targets, hidden * above) if learns else None
        for items, times, part, within, of_tile in ctx.kept:
            # The gradient from above times -c n P(tile), in the thin matrices.
            scale = (-times * sizes * (of_tile - normalizer).exp())[:, None] * above
            d_hidden.addcmul_(within @ part, scale)
            d_bias.index_add_(0, items, (within.T @ scale.to(within.dtype))[:, 0].float())
            if d_weight is not None:
                own = within.T @ (scale * hidden).to(within.dtype)
                d_weight.index_add_(0, items, own.float())
        return ctx.group.sum(d_hidden), d_weight, d_bias, None, None, None, None
