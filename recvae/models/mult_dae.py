"""Mult-DAE: the denoising autoencoder with a multinomial likelihood."""

from dataclasses import dataclass

from recvae.engine.annealing import RateSchedule
from recvae.models.families.mult import MultAutoencoder
from recvae.options.ranges import NonNegativeFloat, PositiveFloat, PositiveInt, Widths
from recvae.options.spaces import Float, Int


@dataclass(kw_only=True, eq=False)
class MultDAE(MultAutoencoder):
    """Mult-DAE (Liang et al., "Variational Autoencoders for Collaborative Filtering", WWW 2018).

    Items - 200 - items with tanh, trained to predict the whole history from a part of it.
    With `dropout=0` it is a plain autoencoder. Options: see `MultAutoencoder`.
    """

    name = "mult-dae"
    variational = False
    space = {
        "latent": Int(100, 400, log=True),
        "dropout": Float(0.2, 0.8),
        "l2": Float(1e-6, 1e-3, log=True),
        "learning_rate": Float(3e-4, 1e-2, log=True),
        "batch_size": Int(50, 500, log=True),
    }

    hidden: Widths = ()
    l2: NonNegativeFloat = 0.01 / 500
    learning_rate: PositiveFloat = 5e-3
    rate_schedule: RateSchedule = "cosine"
    epochs: PositiveInt = 50
