"""EASE: a linear autoencoder of items, solved in closed form."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import torch

from recvae.models.linear_base import LinearAutoencoder
from recvae.options import PositiveFloat


@dataclass(kw_only=True, eq=False)
class EASE(LinearAutoencoder):
    """EASE (Steck, "Embarrassingly Shallow Autoencoders for Sparse Data", WWW 2019).

    All weights are penalized alike. Options: see `LinearAutoencoder`.
    """

    name: ClassVar[str] = "ease"
    grid: ClassVar[Mapping[str, Sequence[Any]]] = {
        "regularization": (30.0, 50.0, 100.0, 200.0, 300.0, 500.0, 700.0, 1000.0, 2000.0)
    }

    regularization: PositiveFloat = 500.0

    def _penalty(self, counts: torch.Tensor) -> float:
        return self.regularization
