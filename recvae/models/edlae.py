"""EDLAE: EASE with dropout, of weighed users and items, in closed form."""

from dataclasses import dataclass

from recvae.models.families.linear import LinearAutoencoder
from recvae.nets.linear_path import USER_POWER
from recvae.options.ranges import DropRate, Fraction, PositiveFloat
from recvae.options.spaces import Float


@dataclass(kw_only=True, eq=False)
class EDLAE(LinearAutoencoder):
    """EDLAE (Steck, "Autoencoders that don't overfit towards the Identity", NeurIPS 2020), with the
    powers of DAN (Park et al., "Why is Normalization Necessary for Linear Recommenders?", SIGIR
    2025).

    The closed form of training EASE on inputs with dropout, in the limit of infinitely many
    epochs. The penalty on the weights of an item is p / (1 - p) times the weight of its users, plus
    the same regularization for all items. With both powers 0 it is Steck's EDLAE; without dropout
    as well, EASE. Options: see `LinearAutoencoder`.

    Attributes:
        dropout: p, the rate at which entries of the input are removed.
        user_power: a user of n items has the weight 1 / n^user_power.
        item_power: the score of an item of n users is divided by n^item_power; the higher, the more
            rare items are recommended.
    """

    name = "edlae"
    space = {
        "dropout": Float(0.3, 0.9),
        "regularization": Float(2.0, 200.0, log=True),
        "user_power": Float(0.0, 1.0),
        "item_power": Float(0.0, 0.4),
    }

    dropout: DropRate = 0.7
    regularization: PositiveFloat = 20.0
    user_power: Fraction = USER_POWER
    item_power: Fraction = 0.15
