"""EDLAE: EASE, trained to give back what is left out of its input."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import torch

from recvae.models.linear_base import LinearAutoencoder
from recvae.options import DropRate, PositiveFloat


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
    grid: ClassVar[Mapping[str, Sequence[Any]]] = {
        "dropout": (0.2, 0.33, 0.5, 0.67),
        "regularization": (10.0, 30.0, 100.0, 300.0, 500.0, 1000.0),
    }

    dropout: DropRate = 0.5
    regularization: PositiveFloat = 300.0

    def _penalty(self, counts: torch.Tensor) -> torch.Tensor:
        return self.dropout / (1 - self.dropout) * counts + self.regularization
