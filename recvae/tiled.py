"""The multinomial log-likelihood of a last layer, without the users x items logits in float32.

The same function as `objectives.multinomial_log_likelihood` of the logits, which is its
specification and its test.
"""

from typing import Any

import torch
from torch.autograd.function import once_differentiable

from recvae.batches import Batch
from recvae.groups import ALONE, Group
from recvae.sparse import multiply, multiply_transposed

TILE_CELLS = {"cpu": 2**19, "cuda": 2**25}
"""Logits that are computed at a time: what fits in the cache of a core, or keeps a GPU busy."""


def multinomial_log_likelihood(
    hidden: torch.Tensor,
    weight: torch.Tensor,
    bias: torch.Tensor,
    targets: Batch,
    precision: torch.dtype = torch.float32,
    sharing: Group = ALONE,
) -> torch.Tensor:
    """Log-likelihood of the counts x under softmax probabilities (Liang et al., 2018, eq. 2).

    sum_i x_i log softmax(hidden @ weight' + bias)_i

    The logits come in tiles of some items for all users. A tile is exponentiated while it is in the
    cache, relative to its own maximum, and kept for the gradient in `precision`; the maxima and
    sums, float32, make the normalizer at the end, and scale the tiles in the backward pass.

    Several processes can share the items: each has the weights, biases and targets of its own, and
    the result is that of all.

    Args:
        hidden: float32 [users, width].
        weight: float32 [items, width].
        bias: float32 [items].
        targets: counts, [users, items].
        precision: of the three matrix products; they sum up in float32.
        sharing: the processes that share the items.

    Returns:
        [users], summed over the items.
    """
    arguments = (sharing.given(hidden), weight, bias, targets, precision)
    observed, normalizer = _Parts.apply(*arguments)  # type: ignore[no-untyped-call]
    sizes = sharing.sum(targets.sum(targets.values))
    return sharing.total(observed) - sizes * sharing.logsumexp(normalizer)


class _Parts(torch.autograd.Function):
    """sum_i x_i logit_i, whose gradient in the logits is x, and log sum_i exp logit_i: softmax."""

    @staticmethod
    def forward(
        ctx: Any,
        hidden: torch.Tensor,
        weight: torch.Tensor,
        bias: torch.Tensor,
        targets: Batch,
        precision: torch.dtype,
    ) -> tuple[torch.Tensor, torch.Tensor]:
        inputs, width = hidden.to(precision), _width(hidden)
        weights = [part.to(precision) for part in torch.split(weight, width)]
        maxima, sums, powers = [], [], []
        for part, offset in zip(weights, torch.split(bias, width), strict=True):
            logits = inputs @ part.T + offset
            maxima.append(logits.amax(dim=1))
            sums.append(logits.sub_(maxima[-1][:, None]).exp_().sum(dim=1))
            powers.append(logits.to(precision))
        top = torch.stack(maxima)
        normalizer = (top + torch.stack(sums).log()).logsumexp(dim=0)
        pulled = multiply(targets, weight)
        observed = (pulled * hidden).sum(dim=1)
        observed += targets.sum(targets.values * bias[targets.columns])
        ctx.save_for_backward(hidden, pulled, (top - normalizer).exp(), *weights, *powers)
        ctx.targets = targets
        return observed, normalizer

    @staticmethod
    @once_differentiable
    def backward(
        ctx: Any, d_observed: torch.Tensor, d_normalizer: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor | None, torch.Tensor, None, None]:
        hidden, pulled, scales, *tiles = ctx.saved_tensors
        weights, powers = tiles[: len(tiles) // 2], tiles[len(tiles) // 2 :]
        width, targets, upstream = len(weights[0]), ctx.targets, d_observed[:, None]
        d_hidden = upstream * pulled
        d_weight = (
            multiply_transposed(targets, upstream * hidden) if ctx.needs_input_grad[1] else None
        )
        d_bias = hidden.new_zeros(targets.n_items)
        d_bias.index_add_(0, targets.columns, targets.values * d_observed[targets.rows])
        for number, scale in enumerate((d_normalizer * scales)[..., None]):
            shares, tile = powers[number], slice(number * width, (number + 1) * width)
            d_hidden.addcmul_(shares @ weights[number], scale)
            d_bias[tile] += (shares.T @ scale.to(shares.dtype))[:, 0]
            if d_weight is not None:
                d_weight[tile] += shares.T @ (scale * hidden).to(shares.dtype)
        return d_hidden, d_weight, d_bias, None, None


def _width(hidden: torch.Tensor) -> int:
    """How many items make a tile."""
    cells = TILE_CELLS.get(hidden.device.type, TILE_CELLS["cuda"])
    return max(1, cells // max(1, len(hidden)))
