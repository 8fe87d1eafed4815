"""The multinomial log-likelihood of a last layer, without the users x items logits in float32.

The same function as `objectives.multinomial_log_likelihood` of the logits, which is its
specification and its test.
"""

from collections.abc import Iterator
from typing import Any, cast

import torch
from torch.autograd.function import once_differentiable
from torch.nn.functional import linear

from recvae.batches import Batch
from recvae.sparse import multiply, multiply_transposed

TILE_CELLS = {"cpu": 2**19, "cuda": 2**25}
"""Logits that are computed at a time: what fits in the cache of a core, or keeps a GPU busy."""


def multinomial_log_likelihood(
    hidden: torch.Tensor,
    weight: torch.Tensor,
    bias: torch.Tensor,
    targets: Batch,
    precision: torch.dtype = torch.float32,
) -> torch.Tensor:
    """Log-likelihood of the counts x under softmax probabilities (Liang et al., 2018, eq. 2).

    sum_i x_i log softmax(hidden @ weight' + bias)_i

    The logits come in tiles of some items for all users. A tile is exponentiated while it is in the
    cache, relative to its own maximum, and kept for the gradient in `precision`; the maxima and
    sums, float32, make the normalizer at the end, and scale the tiles in the backward pass.

    Args:
        hidden: float32 [users, width].
        weight: float32 [items, width].
        bias: float32 [items].
        targets: counts, [users, items].
        precision: of the three matrix products; they sum up in float32.

    Returns:
        [users], summed over the items.
    """
    arguments = (hidden, weight, bias, targets, precision)
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
    ) -> torch.Tensor:
        inputs, weights, biases = (part.to(precision) for part in (hidden, weight, bias))
        powers = inputs.new_empty(len(hidden), len(weight))
        maxima, sums = [], []
        for tile in _tiles(powers):
            logits = linear(inputs, weights[tile], biases[tile]).float()
            maxima.append(logits.amax(dim=1))
            sums.append(logits.sub_(maxima[-1][:, None]).exp_().sum(dim=1))
            powers[:, tile] = logits
        top = torch.stack(maxima)
        normalizer = (top + torch.stack(sums).log()).logsumexp(dim=0)
        pulled = multiply(targets, weight)
        offsets = targets.sum(targets.values * bias[targets.columns])
        observed, sizes = (pulled * hidden).sum(dim=1) + offsets, targets.sum(targets.values)
        ctx.save_for_backward(hidden, weights, powers, (top - normalizer).exp() * sizes, pulled)
        ctx.targets = targets
        return observed - sizes * normalizer

    @staticmethod
    @once_differentiable
    def backward(
        ctx: Any, gradient: torch.Tensor
    ) -> tuple[torch.Tensor | None, torch.Tensor | None, torch.Tensor | None, None, None]:
        hidden, weights, powers, scales, pulled = ctx.saved_tensors
        needs_hidden, needs_weight, needs_bias = ctx.needs_input_grad[:3]
        d_hidden = gradient[:, None] * pulled
        d_weight = multiply_transposed(ctx.targets, gradient[:, None] * hidden)
        d_bias = multiply_transposed(ctx.targets, gradient[:, None])[:, 0]
        for tile, scale in zip(_tiles(powers), -gradient * scales, strict=True):
            shares, scale = powers[:, tile], scale[:, None]
            if needs_hidden:
                d_hidden.addcmul_(shares @ weights[tile], scale)
            if needs_weight:
                d_weight[tile] += shares.T @ (scale * hidden).to(shares.dtype)
            if needs_bias:
                d_bias[tile] += (shares.T @ scale.to(shares.dtype))[:, 0]
        return d_hidden, d_weight, d_bias, None, None


def _tiles(cells: torch.Tensor) -> Iterator[slice]:
    """Cut the columns of users x items cells."""
    n_users, n_items = cells.shape
    width = max(1, TILE_CELLS.get(cells.device.type, TILE_CELLS["cuda"]) // max(1, n_users))
    for start in range(0, n_items, width):
        yield slice(start, start + width)
