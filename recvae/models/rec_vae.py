"""RecVAE: a VAE with a deeper encoder and a prior that keeps it near its last epoch's state."""

from dataclasses import dataclass
from functools import partial

import torch
from torch import nn

from recvae.engine.batch import Batch
from recvae.engine.objectives import sampled_composite_kl
from recvae.engine.phases import LossTerms, Phase
from recvae.engine.weights import Snapshot
from recvae.models.families.softmax import SoftmaxAutoencoder
from recvae.nets import Net, sample
from recvae.nets.rec_vae import RecVAENet
from recvae.options.ranges import NonNegativeFloat, PositiveFloat, PositiveInt
from recvae.options.spaces import Float, Int


@dataclass(kw_only=True, eq=False)
class RecVAE(SoftmaxAutoencoder):
    """RecVAE (Shenbin et al., "RecVAE: A New Variational Autoencoder for Top-N Recommendations
    with Implicit Feedback", WSDM 2020).

    A dense encoder with layer norm and a linear decoder. In each epoch the encoder is trained on
    inputs with dropout, then the decoder on whole inputs. The prior is a mixture that keeps the
    code near the one that the encoder gave an epoch before. The KL term is estimated by a single
    draw, and has a higher weight for users with more items.

    Attributes:
        width: width of the encoder's layers.
        gamma: the weight of the KL term for each item of a user (`beta` in the history).
        encoder_passes: how often an epoch goes through the users to train the encoder.
        decoder_passes: how often an epoch goes through the users to train the decoder.
    """

    name = "rec-vae"
    parallel_over = frozenset({"users", "items"})
    space = {
        "latent": Int(100, 400, log=True),
        "width": Int(300, 900, log=True),
        "gamma": Float(1e-3, 2e-2, log=True),
        "dropout": Float(0.2, 0.8),
        "learning_rate": Float(2e-4, 2e-3, log=True),
        "batch_size": Int(50, 500, log=True),
    }

    width: PositiveInt = 600
    gamma: NonNegativeFloat = 0.005
    encoder_passes: PositiveInt = 3
    decoder_passes: PositiveInt = 1
    learning_rate: PositiveFloat = 5e-4
    batch_size: PositiveInt = 200
    epochs: PositiveInt = 50
    patience: PositiveInt | None = 10

    def new_net(self, n_items: int) -> RecVAENet:
        return RecVAENet(n_items, self.width, self.latent)

    def phases(self, net: Net, n_batches: int, noise: torch.Generator) -> list[Phase]:
        previous = Snapshot(net.get_submodule("encoder"))
        terms = partial(self.loss_terms, net, previous.module, noise)
        return [
            Phase(partial(terms, self.dropout), part="encoder", repeat=self.encoder_passes),
            Phase(
                partial(terms, 0.0),
                part="decoder",
                repeat=self.decoder_passes,
                before=previous.take,
                memory=previous.module,
            ),
        ]

    def loss_terms(
        self,
        net: Net,
        previous: nn.Module,
        noise: torch.Generator,
        dropout: float,
        batch: Batch,
        _: int,
    ) -> LossTerms:
        """The negative ELBO of a batch, averaged over its users."""
        rows = batch.normalized()
        mean, logvar = net.encode(rows.dropout(dropout, noise))
        code = sample(batch, mean, logvar, noise)
        log_likelihood = self.multinomial(net, code, batch, noise).mean()
        kl = sampled_composite_kl(code, mean, logvar, previous(rows))
        weighted = self.gamma * (batch.sum(batch.values) * kl).mean()
        return LossTerms(weighted - log_likelihood, log_likelihood, kl.mean(), self.gamma)
