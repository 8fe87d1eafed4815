"""The net of ResidualVAE."""

import torch
from torch import nn

from recvae.nets.linear_path import LinearPath
from recvae.nets.rec_vae import RecVAENet

SMALL = 0.01


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
