"""EASE: a linear autoencoder of items, solved in closed form."""

from dataclasses import dataclass

from recvae.models.families.linear import LinearAutoencoder
from recvae.options.ranges import PositiveFloat
from recvae.options.spaces import Float


@dataclass(kw_only=True, eq=False)
class EASE(LinearAutoencoder):
    """EASE (Steck, "Embarrassingly Shallow Autoencoders for Sparse Data", WWW 2019).

    All weights are penalized alike. Options: see `LinearAutoencoder`.
    """

    name = "ease"
    space = {"regularization": Float(10.0, 3000.0, log=True)}

    regularization: PositiveFloat = 300.0
