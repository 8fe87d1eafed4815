"""ELSA: a linear autoencoder of low rank, for any number of items."""

from dataclasses import dataclass
from functools import partial

import torch

from recvae.engine.batch import Batch
from recvae.engine.phases import LossTerms, Phase
from recvae.models.contract import Ability
from recvae.models.families.autoencoder import AutoencoderRecommender
from recvae.nets import Net
from recvae.nets.elsa import ELSANet
from recvae.options.ranges import DropRate, PositiveFloat, PositiveInt
from recvae.options.spaces import Float, Int


@dataclass(kw_only=True, eq=False)
class ELSA(AutoencoderRecommender):
    """ELSA (Vančura et al., "Scalable Linear Shallow Autoencoder for Collaborative Filtering",
    RecSys 2022).

    Items x items weights AA' - I, of which only A is kept: a vector of length 1 for each item. The
    loss is half the squared distance between a row and its output, both scaled to length 1. The
    paper has no dropout, and the authors' code trains by NAdam with a rate of 0.1, not by Adam.
    Options: see `AutoencoderRecommender`.
    """

    name = "elsa"
    space = {
        "latent": Int(64, 1024, log=True),
        "dropout": Float(0.0, 0.5),
        "learning_rate": Float(1e-3, 0.1, log=True),
        "batch_size": Int(100, 1000, log=True),
    }

    abilities = AutoencoderRecommender.abilities | {Ability.VECTORS}

    latent: PositiveInt = 256
    dropout: DropRate = 0.0
    learning_rate: PositiveFloat = 5e-3
    epochs: PositiveInt = 20
    patience: PositiveInt | None = 5

    def forward(self, batch: Batch) -> torch.Tensor:
        """The rows, scaled to length 1, times AA' - I."""
        rows = batch.normalized()
        scores = super().forward(batch)
        return scores.index_put_((rows.rows, rows.columns), -rows.values, accumulate=True)

    def new_net(self, n_items: int) -> ELSANet:
        return ELSANet(n_items, self.latent, dropout=self.dropout)

    def phases(self, net: Net, n_batches: int, noise: torch.Generator) -> list[Phase]:
        return [Phase(partial(self.loss_terms, net, noise))]

    def loss_terms(self, net: Net, noise: torch.Generator, batch: Batch, _: int) -> LossTerms:
        """Half the squared distance: a Gaussian's negative log-likelihood of variance 1."""
        log_likelihood = net(batch, noise).mean() - 1
        return LossTerms.without_kl(log_likelihood)
