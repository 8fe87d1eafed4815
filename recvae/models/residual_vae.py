"""ResidualVAE: a variational autoencoder of what a linear one leaves unexplained."""

from collections.abc import Hashable
from dataclasses import dataclass
from functools import partial
from typing import Annotated, cast

import scipy.sparse as sp
import torch
from annotated_types import Gt, Lt
from torch import nn

from recvae.data.shards import CsrOrShards
from recvae.engine.batch import Batch
from recvae.engine.objectives import multinomial_log_likelihood, sampled_composite_kl, without
from recvae.engine.phases import LossTerms, Phase
from recvae.engine.weights import Snapshot
from recvae.models.contract import Ability, FitContext
from recvae.models.edlae import EDLAE
from recvae.models.families.autoencoder import AutoencoderRecommender
from recvae.models.families.pooling import log_proportions
from recvae.nets import Net, sample
from recvae.nets.linear_path import LinearPath
from recvae.nets.rec_vae import ResidualVAENet
from recvae.options.ranges import DropRate, NonNegativeFloat, PositiveFloat, PositiveInt
from recvae.options.spaces import Float, Int


@dataclass(kw_only=True, eq=False)
class ResidualVAE(AutoencoderRecommender):
    """A variational autoencoder trained on top of a linear one.

    An item's logit is its log-probability by EDLAE plus the output of RecVAE's net. Training hides
    a part of each history and predicts it from the rest. EDLAE is solved once, in closed form. It
    scores a training user as if it had not seen that user (`LinearPath.leave_one_out`): so the
    decoder learns to correct the errors that EDLAE makes for new users. The prior is RecVAE's. The
    weights are averaged over the steps of training (`recvae.engine.weights.Average`).

    Attributes:
        dropout: the fraction of a history that training hides and predicts.
        width: width of the encoder's layers.
        gamma: the weight of the KL term for each item of a user (`beta` in the history).
        linear_dropout: EDLAE's `dropout`.
        regularization: EDLAE's.
        max_gigabytes: the memory that EDLAE's items x items matrix may take.
    """

    name = "residual-vae"
    space = {
        "latent": Int(100, 400, log=True),
        "width": Int(300, 900, log=True),
        "gamma": Float(5e-4, 1e-2, log=True),
        "dropout": Float(0.2, 0.8),
        "regularization": Float(3.0, 100.0, log=True),
        "learning_rate": Float(3e-4, 3e-3, log=True),
        "batch_size": Int(50, 500, log=True),
    }
    supports_shards = False
    abilities = frozenset({Ability.CODES, Ability.LOG_PROBABILITIES, Ability.EXPORT})
    averaging = 5.0

    dropout: Annotated[float, Gt(0), Lt(1)] = 0.5
    width: PositiveInt = 600
    gamma: NonNegativeFloat = 0.002
    linear_dropout: DropRate = 0.5
    regularization: PositiveFloat = 16.0
    max_gigabytes: PositiveFloat = 16.0
    batch_size: PositiveInt = 200
    epochs: PositiveInt = 60
    patience: PositiveInt | None = 15

    def solve(self, train: sp.csr_matrix) -> LinearPath:
        """Solve for the linear path of a CSR matrix [users, items], whose weights it reads."""
        linear = EDLAE(
            dropout=self.linear_dropout,
            regularization=self.regularization,
            max_gigabytes=self.max_gigabytes,
        )
        path = LinearPath(train.shape[1])
        path.inverse = linear.inverse(train)
        return path

    def forward(self, batch: Batch) -> torch.Tensor:
        """Logits of both paths: the decoder's from the mean of the code, nothing hidden."""
        return super().forward(batch).add_(log_proportions(_linear(self.net_)(batch), batch))

    def new_net(self, n_items: int) -> ResidualVAENet:
        return ResidualVAENet(n_items, self.width, self.latent)

    def prepare(self, net: Net, train: CsrOrShards, context: FitContext) -> None:
        """Set the net's linear path: one that another model has solved, or else a new one."""
        assert isinstance(train, sp.csr_matrix)  # as it supports no shards
        (source,) = self.shareable().values()
        if source not in context.shared:
            context.shared[source] = self.solve(train)
        net.linear = context.shared[source]

    def shareable(self) -> dict[str, Hashable]:
        """The matrix of the linear path, see `Recommender.shareable`."""
        path = ("linear path", self.linear_dropout, self.regularization, self.input)
        return {"linear.inverse": path}

    def phases(self, net: Net, n_batches: int, noise: torch.Generator) -> list[Phase]:
        previous = Snapshot(net.get_submodule("encoder"))
        terms = partial(self.loss_terms, net, previous.module, noise)
        return [Phase(terms, before=previous.take, memory=previous.module)]

    def loss_terms(
        self, net: Net, previous: nn.Module, noise: torch.Generator, batch: Batch, _: int
    ) -> LossTerms:
        """The negative ELBO of what is hidden, scaled up to whole rows, averaged over the users."""
        visible, hidden = batch.split(self.dropout, noise)
        mean, logvar = net.encode(visible.normalized())
        code = sample(batch, mean, logvar, noise)
        logits = net.decode(code) + log_proportions(
            _linear(net).leave_one_out(visible, hidden), visible
        )
        sizes, n_hidden = batch.sum(batch.values), hidden.sum(hidden.values)
        scale = torch.where(n_hidden > 0, sizes / n_hidden, 0)
        log_likelihood = (
            scale * multinomial_log_likelihood(without(logits, visible), hidden)
        ).mean()
        kl = sampled_composite_kl(code, mean, logvar, previous(batch.normalized()))
        weighted = self.gamma * (sizes * kl).mean()
        return LossTerms(weighted - log_likelihood, log_likelihood, kl.mean(), self.gamma)


def _linear(net: Net) -> LinearPath:
    return cast(LinearPath, net.get_submodule("linear"))
