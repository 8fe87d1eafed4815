"""LinearDAE: a denoising autoencoder without hidden layers."""

from dataclasses import dataclass
from functools import partial

import torch
from torch import nn

from recvae.engine.batch import Batch
from recvae.engine.phases import LossTerms, Phase
from recvae.models.families.softmax import SoftmaxAutoencoder
from recvae.nets import Linear, Net, SparseLinear
from recvae.options.ranges import PositiveFloat, PositiveInt
from recvae.options.spaces import Float, Int


class LinearNet(Net):
    """Items - latent - items, without an activation."""

    def __init__(self, n_items: int, latent: int) -> None:
        super().__init__()
        self.input = SparseLinear(n_items, latent)
        self.output = Linear(latent, n_items)

    def initialize(self, generator: torch.Generator) -> None:
        """Draw normal weights and biases with a standard deviation of 0.05."""
        for parameter in self.parameters():
            nn.init.normal_(parameter, std=0.05, generator=generator)

    def encode(self, batch: Batch) -> tuple[torch.Tensor, torch.Tensor]:
        """Map sparse rows to codes [users, latent], and to the log-variance of points: -inf."""
        code = self.input(batch)
        return code, torch.full_like(code, -torch.inf)

    def hidden(self, code: torch.Tensor) -> torch.Tensor:
        """Codes as they are: the decoder is one layer."""
        return code

    def last_layer(self) -> tuple[torch.Tensor, torch.Tensor]:
        """The weights [items, latent] and biases [items] of the decoder."""
        return self.output.weight, self.output.bias


@dataclass(kw_only=True, eq=False)
class LinearDAE(SoftmaxAutoencoder):
    """Predicts a whole history from a part of it, by the multinomial likelihood."""

    name = "linear-dae"
    space = {
        "latent": Int(50, 400, log=True),
        "dropout": Float(0.2, 0.8),
        "learning_rate": Float(1e-3, 1e-2, log=True),
    }

    latent: PositiveInt = 100
    learning_rate: PositiveFloat = 5e-3
    epochs: PositiveInt = 20

    def new_net(self, n_items: int) -> LinearNet:
        return LinearNet(n_items, self.latent)

    def phases(self, net: Net, n_batches: int, noise: torch.Generator) -> list[Phase]:
        return [Phase(partial(self.loss_terms, net, noise))]

    def loss_terms(self, net: Net, noise: torch.Generator, batch: Batch, step: int) -> LossTerms:
        """The negative log-likelihood of a batch, averaged over its users."""
        code, _ = net.encode(batch.normalized().dropout(self.dropout, noise))
        log_likelihood = self.multinomial(net, code, batch, noise).mean()
        return LossTerms.without_kl(log_likelihood)
