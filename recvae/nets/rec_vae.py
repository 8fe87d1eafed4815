"""The nets of RecVAE and ResidualVAE."""

import torch
from torch import nn
from torch.nn.functional import silu

from recvae.engine.batch import Batch
from recvae.nets.base import Net
from recvae.nets.layers import Linear, SparseLinear
from recvae.nets.linear_path import LinearPath

DEPTH = 5
EPSILON = 0.1
"""Added to the variance in layer norms, as in the reference."""
SMALL = 0.01
"""The standard deviation of the initial weights of ResidualVAE's decoder."""


class DenseEncoder(nn.Module):
    """Five layers; each reads the outputs of all layers before it (Shenbin et al., 2020, fig. 2).

    The activation is swish, followed by a layer norm.
    """

    def __init__(self, n_items: int, width: int, latent: int) -> None:
        super().__init__()
        self.input = SparseLinear(n_items, width)
        self.layers = nn.ModuleList(Linear(width, width) for _ in range(DEPTH - 1))
        self.norms = nn.ModuleList(nn.LayerNorm(width, eps=EPSILON) for _ in range(DEPTH))
        self.code = Linear(width, 2 * latent)

    def forward(self, batch: Batch) -> tuple[torch.Tensor, torch.Tensor]:
        """Map sparse rows to mean and log-variance of the code, each [users, latent]."""
        first, *others = self.norms
        output = total = first(silu(self.input(batch)))
        for layer, norm in zip(self.layers, others, strict=True):
            output = norm(silu(layer(output) + total))
            total = total + output
        mean, logvar = self.code(output).chunk(2, dim=1)
        return mean, logvar


class RecVAENet(Net):
    """A dense encoder and a linear decoder."""

    def __init__(self, n_items: int, width: int, latent: int) -> None:
        super().__init__()
        self.encoder = DenseEncoder(n_items, width, latent)
        self.decoder = Linear(latent, n_items)

    def initialize(self, generator: torch.Generator) -> None:
        """Draw weights and biases uniformly within 1 / sqrt(inputs), as the reference does."""
        _draw(self.encoder.input, self.encoder.input.weight.shape[0], generator)
        for layer in (*self.encoder.layers, self.encoder.code, self.decoder):
            _draw(layer, layer.in_features, generator)

    def encode(self, batch: Batch) -> tuple[torch.Tensor, torch.Tensor]:
        mean, logvar = self.encoder(batch)
        return mean, logvar

    def last_layer(self) -> tuple[torch.Tensor, torch.Tensor]:
        return self.decoder.weight, self.decoder.bias


class ResidualVAENet(RecVAENet):
    """RecVAE's net beside a linear autoencoder.

    Attributes:
        linear: the linear path, which is solved in closed form and not trained.
    """

    def __init__(self, n_items: int, width: int, latent: int) -> None:
        super().__init__(n_items, width, latent)
        self.linear = LinearPath(n_items)

    def initialize(self, generator: torch.Generator) -> None:
        """Draw as RecVAE does, but let the decoder begin near 0."""
        super().initialize(generator)
        nn.init.normal_(self.decoder.weight, std=SMALL, generator=generator)
        nn.init.zeros_(self.decoder.bias)


def _draw(layer: nn.Module, n_inputs: int, generator: torch.Generator) -> None:
    for parameter in layer.parameters():
        nn.init.uniform_(parameter, -(n_inputs**-0.5), n_inputs**-0.5, generator=generator)
