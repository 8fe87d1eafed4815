"""Mult-DAE: the denoising autoencoder with a multinomial likelihood."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from recvae.models.mult import MultAutoencoder
from recvae.options import NonNegativeFloat, Widths


@dataclass(kw_only=True, eq=False)
class MultDAE(MultAutoencoder):
    """Mult-DAE (Liang et al., "Variational Autoencoders for Collaborative Filtering", WWW 2018).

    Items - 200 - items with tanh, trained to give back the whole history from a part of it.
    With `dropout=0` it is a plain autoencoder. Options: see `MultAutoencoder`.
    """

    name: ClassVar[str] = "mult-dae"
    variational: ClassVar[bool] = False
    grid: ClassVar[Mapping[str, Sequence[Any]]] = {
        "latent": (100, 200, 400),
        "dropout": (0.5, 0.7),
        "l2": (0.0, 2e-5, 2e-4),
        "batch_size": (100, 200, 500),
    }

    hidden: Widths = ()
    l2: NonNegativeFloat = 0.01 / 500
