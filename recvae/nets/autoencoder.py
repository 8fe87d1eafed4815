"""The net of Mult-VAE and Mult-DAE."""

from collections.abc import Sequence
from itertools import pairwise
from typing import cast

import torch
from torch import nn

from recvae.engine.batch import Batch
from recvae.engine.objectives import gaussian_kl
from recvae.nets.base import Net
from recvae.nets.layers import Linear, SparseLinear, sample


class Autoencoder(Net):
    """Items - hidden - latent - hidden - items, tanh between (Liang et al., 2018, section 2.2).

    Attributes:
        dropout: the rate at which training removes entries of the input.
        variational: whether the code is a distribution (Mult-VAE) or a point (Mult-DAE).
    """

    def __init__(
        self,
        n_items: int,
        hidden: Sequence[int],
        latent: int,
        *,
        dropout: float,
        variational: bool,
        temperature: float | None = None,
    ) -> None:
        super().__init__(temperature)
        self.dropout, self.variational, self.latent = dropout, variational, latent
        code = 2 * latent if variational else latent
        inward, outward = [*hidden, code], [latent, *reversed(hidden), n_items]
        self.input = SparseLinear(n_items, inward[0])
        self.encoder = nn.ModuleList(Linear(m, n) for m, n in pairwise(inward))
        self.decoder = nn.ModuleList(Linear(m, n) for m, n in pairwise(outward))

    def initialize(self, generator: torch.Generator) -> None:
        """Draw Xavier-uniform weights and truncated-normal(0.001) biases, as the paper does."""
        for name, parameter in self.named_parameters():
            if name.endswith("weight"):
                nn.init.xavier_uniform_(parameter, generator=generator)
            else:
                nn.init.trunc_normal_(parameter, std=0.001, a=-0.002, b=0.002, generator=generator)

    def encode(self, batch: Batch) -> tuple[torch.Tensor, torch.Tensor]:
        code = self.input(batch)
        for layer in self.encoder:
            code = layer(code.tanh())
        if self.variational:
            mean, logvar = code.chunk(2, dim=1)
            return mean, logvar
        return code.tanh(), torch.full_like(code, -torch.inf)

    def hidden(self, code: torch.Tensor) -> torch.Tensor:
        for layer in self.decoder[:-1]:
            code = layer(code).tanh()
        return code

    def last_layer(self) -> tuple[torch.Tensor, torch.Tensor]:
        last = cast(nn.Linear, self.decoder[-1])
        return last.weight, last.bias

    def forward(
        self, batch: Batch, generator: torch.Generator
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Corrupt, encode and draw a code: the code, and the KL [users], 0 for a point."""
        noisy = batch.normalized().dropout(self.dropout, generator)
        mean, logvar = self.encode(noisy)
        code = sample(batch, mean, logvar, generator)
        return code, gaussian_kl(mean, logvar) if self.variational else code.new_zeros(len(code))
