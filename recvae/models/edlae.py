"""EDLAE: EASE with dropout, in closed form."""

from dataclasses import dataclass
from typing import ClassVar

import torch

from recvae.models.families.linear import LinearAutoencoder
from recvae.options.ranges import DropRate, PositiveFloat
from recvae.options.spaces import Float, Space


@dataclass(kw_only=True, eq=False)
class EDLAE(LinearAutoencoder):
    """EDLAE (Steck, "Autoencoders that don't overfit towards the Identity", NeurIPS 2020).

    The closed form of training EASE on inputs with dropout, in the limit of infinitely many
    epochs. The penalty on the weights of an item is p / (1 - p) times the number of its users, plus
    the same regularization for all items. Without dropout it is EASE. Options: see
    `LinearAutoencoder`.

    Attributes:
        dropout: p, the rate at which entries of the input are removed.
    """

    name: ClassVar[str] = "edlae"
    space: ClassVar[Space] = {
        "dropout": Float(0.1, 0.8),
        "regularization": Float(10.0, 3000.0, log=True),
    }

    dropout: DropRate = 0.5
    regularization: PositiveFloat = 150.0

    def penalty(self, counts: torch.Tensor) -> torch.Tensor:
        return self.dropout / (1 - self.dropout) * counts + self.regularization
