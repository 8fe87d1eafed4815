"""The base of EASE and EDLAE: items x items weights, solved in closed form."""

from abc import abstractmethod
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import scipy.sparse as sp
import torch

from recvae.data.splits import Holdout
from recvae.engine.batch import Batch
from recvae.engine.states import of_shape
from recvae.models.contract.abilities import Ability
from recvae.models.contract.fitting import FitContext
from recvae.models.contract.inputs import as_input
from recvae.models.contract.recommender import Recommender
from recvae.models.families.linear_algebra import (
    gram,
    inverse_,
    require_memory,
    zero_diagonal_weights_,
)
from recvae.options.ranges import PositiveFloat


@dataclass(kw_only=True, eq=False)
class LinearAutoencoder(Recommender):
    """Items x items weights that reconstruct all histories with the least squared error.

    An item's weight for itself is 0. The model reads which items a user has, not their weights.

    Attributes:
        regularization: the penalty on squared weights.
        max_gigabytes: the memory that fitting may take; it grows with the square of the items.
        weights_: float32 [items, items], row i is what item i adds to the score of each item.
    """

    abilities: ClassVar[frozenset[Ability]] = frozenset({Ability.EXPORT})

    regularization: PositiveFloat
    max_gigabytes: PositiveFloat = 16.0

    def score(self, histories: sp.csr_matrix, rows: np.ndarray | None = None) -> torch.Tensor:
        """Sum the weights of the history's items."""
        return self.forward(Batch.of(as_input(histories), self.weights_.device))

    def forward(self, batch: Batch) -> torch.Tensor:
        """The scores [users, items] of a batch."""
        return batch.multiply(self.weights_)

    def inverse(self, matrix: sp.csr_matrix) -> torch.Tensor:
        """P = (X'X + Lambda)^-1 of CSR X [users, items], from which the weights are made.

        Raises:
            OptionError: it takes more memory than `max_gigabytes`.
            TrainingError: the regularization is too small to solve for it.
        """
        require_memory(type(self).__name__, matrix.shape[1], self.max_gigabytes)
        product = gram(matrix)
        product.diagonal().add_(self.penalty(product.diagonal()))
        return inverse_(product)

    def learn(self, train: sp.csr_matrix, validation: Holdout | None, context: FitContext) -> None:
        self.weights_ = zero_diagonal_weights_(self.inverse(as_input(train)))

    @abstractmethod
    def penalty(self, counts: torch.Tensor) -> torch.Tensor | float:
        """The penalty on the squared weights of each item, given the items' user counts."""

    def similarities(self, columns: np.ndarray) -> torch.Tensor:
        return self.weights_[torch.from_numpy(columns.astype(np.int64))]

    def state(self) -> dict[str, torch.Tensor]:
        return {"weights": self.weights_}

    def restore(self, state: dict[str, torch.Tensor]) -> None:
        self.weights_ = of_shape(state["weights"], len(self.items_), len(self.items_))
