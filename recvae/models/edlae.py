"""EDLAE: EASE, trained to give back what is left out of its input."""

from dataclasses import dataclass
from typing import ClassVar

import torch

from recvae.models.families.linear import LinearAutoencoder
from recvae.options.ranges import DropRate, PositiveFloat
from recvae.options.spaces import Float, Space


@dataclass(kw_only=True, eq=False)
class EDLAE(LinearAutoencoder):
    """EDLAE (Steck, "Autoencoders that don't overfit towards the Identity", NeurIPS 2020).

    The closed form of training with so much dropout of the input, without end: it penalizes the
    weights of an item by p / (1 - p) times the item's users, and all alike besides. Without
    dropout it is EASE. Options: see `LinearAutoencoder`.

    Attributes:
        dropout: p, the share of the input's entries left out.
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
