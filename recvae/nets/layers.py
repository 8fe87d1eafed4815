"""Layers that several nets are made of."""

import torch
from torch import nn

from recvae.batches import Batch
from recvae.sparse import multiply


class SparseLinear(nn.Module):
    """A linear layer for sparse rows: it reads only the weights of the items that are there.

    Attributes:
        weight: [items, outputs].
        bias: [outputs].
    """

    def __init__(self, n_items: int, n_outputs: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(n_items, n_outputs))
        self.bias = nn.Parameter(torch.empty(n_outputs))

    def forward(self, batch: Batch) -> torch.Tensor:
        """Map sparse rows [users, items] to [users, outputs]."""
        return multiply(batch, self.weight) + self.bias

    def dense(self, rows: torch.Tensor) -> torch.Tensor:
        """Map dense rows [n, items] to [n, outputs]."""
        return torch.addmm(self.bias, rows, self.weight)


def linear(n_inputs: int, n_outputs: int) -> nn.Linear:
    """A linear layer with uninitialized weights, drawn from no random state."""
    layer = nn.Linear(n_inputs, n_outputs, device="meta")
    return layer.to_empty(device=torch.empty(0).device)


def sample(mean: torch.Tensor, logvar: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    """Draw from N(mean, exp(logvar)) by the reparameterization trick: noise of unit variance."""
    noise = torch.randn(mean.shape, generator=generator, device=mean.device)
    return mean + noise * (0.5 * logvar).exp()
