"""VampVAE: Mult-VAE with a prior that is learnt, two levels of code, and gates."""

from dataclasses import dataclass

from recvae.engine.annealing import RateSchedule
from recvae.models.mult_vae import MultVAE
from recvae.nets.vamp import VampNet
from recvae.options.ranges import DropRate, PositiveFloat, PositiveInt
from recvae.options.spaces import Categorical, Float, Int


@dataclass(kw_only=True, eq=False)
class VampVAE(MultVAE):
    """H+Vamp(Gated) (Kim & Suh, "Enhancing VAEs for Collaborative Filtering: Flexible Priors &
    Gating Mechanisms", RecSys 2019).

    Mult-VAE with the VampPrior of Tomczak & Welling (AISTATS 2018): a mixture of the posteriors of
    pseudo-inputs, which are histories that are learnt. The KL term is estimated by a single draw.
    Unlike the authors' code, pseudo-inputs are encoded without dropout, both levels see the same
    corrupted input, and the dropout rate is higher.

    Attributes:
        latent: width of the code; if hierarchical, of each of the two codes, and `encode` gives
            both side by side.
        n_components: how many pseudo-inputs the prior has.
        hierarchical: whether an upper code, which has the VampPrior, conditions a lower one.
        gated: whether layers end in gates (GLU) instead of tanh.
    """

    name = "vamp-vae"
    parallel_over = frozenset({"users"})
    kept = 1.0  # too deep to learn again, in so few small steps, what it would lose
    space = {
        "hidden": Categorical(((600,), (600, 600))),
        "beta": Float(0.05, 1.0, log=True),
        "n_components": Int(50, 1000, log=True),
        "dropout": Float(0.2, 0.8),
        "learning_rate": Float(3e-4, 3e-3, log=True),
        "batch_size": Int(50, 500, log=True),
    }

    n_components: PositiveInt = 200
    hierarchical: bool = True
    gated: bool = True
    dropout: DropRate = 0.7
    learning_rate: PositiveFloat = 1e-3
    rate_schedule: RateSchedule = "constant"
    batch_size: PositiveInt = 100
    epochs: PositiveInt = 50

    def new_net(self, n_items: int) -> VampNet:
        return VampNet(
            n_items,
            self.hidden,
            self.latent,
            n_components=self.n_components,
            hierarchical=self.hierarchical,
            gated=self.gated,
            dropout=self.dropout,
            temperature=self.temperature,
        )
