"""EASE: a linear autoencoder of items, solved in closed form."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import scipy.sparse as sp
import torch

from recvae.errors import OptionError, TrainingError
from recvae.models.base import Recommender, of_shape
from recvae.models.inputs import as_input
from recvae.options import PositiveFloat
from recvae.splits import Holdout

BYTES_PER_PAIR = 12
"""At the peak of fitting, for each pair of items: three dense matrices of float32."""

WORTH_SAYING = 1.0
"""From how many gigabytes on a user may want to know."""

log = logging.getLogger("recvae")


@dataclass(kw_only=True, eq=False)
class EASE(Recommender):
    """EASE (Steck, "Embarrassingly Shallow Autoencoders for Sparse Data", WWW 2019).

    The items x items weights that give back all histories with the least squared error, an item
    having no say about itself. It reads which items a user has, not their weights.

    Attributes:
        regularization: the penalty on squared weights.
        max_gigabytes: the memory that fitting may take; it grows with the square of the items.
        weights_: float32 [items, items], what an item of the history adds to each item's score.
    """

    name: ClassVar[str] = "ease"
    grid: ClassVar[Mapping[str, Sequence[Any]]] = {
        "regularization": (30.0, 50.0, 100.0, 200.0, 300.0, 500.0, 700.0, 1000.0, 2000.0)
    }

    regularization: PositiveFloat = 500.0
    max_gigabytes: PositiveFloat = 16.0

    def score(self, histories: sp.csr_matrix, rows: np.ndarray | None = None) -> torch.Tensor:
        """Sum the weights of the history's items."""
        return torch.from_numpy(as_input(histories) @ self.weights_.numpy())

    def _fit(self, train: sp.csr_matrix, validation: Holdout | None) -> None:
        self._check_memory(train.shape[1])
        matrix = as_input(train)
        gram = torch.from_numpy((matrix.T @ matrix).toarray())
        gram.diagonal().add_(self.regularization)
        self.weights_ = self._inverse(gram)
        self.weights_ /= -self.weights_.diagonal().clone()
        self.weights_.fill_diagonal_(0)

    def _inverse(self, gram: torch.Tensor) -> torch.Tensor:
        factor, failed = torch.linalg.cholesky_ex(gram)
        if failed:
            raise TrainingError(
                f"EASE can't be solved with regularization={self.regularization:g}: raise it."
            )
        return torch.cholesky_inverse(factor)

    def _check_memory(self, n_items: int) -> None:
        gigabytes = BYTES_PER_PAIR * n_items**2 / 1e9
        if gigabytes >= WORTH_SAYING:
            log.info("EASE needs about %.1f GB for %s items", gigabytes, f"{n_items:,}")
        if gigabytes > self.max_gigabytes:
            raise OptionError(
                f"EASE needs about {gigabytes:.1f} GB for {n_items:,} items, and may take "
                f"max_gigabytes={self.max_gigabytes:g}: keep fewer items (min_item_users), "
                "or raise max_gigabytes if the machine has the memory."
            )

    def _similarity(self, columns: np.ndarray) -> torch.Tensor:
        return self.weights_[torch.from_numpy(columns.astype(np.int64))]

    def _state(self) -> dict[str, torch.Tensor]:
        return {"weights": self.weights_}

    def _restore(self, state: dict[str, torch.Tensor]) -> None:
        self.weights_ = of_shape(state["weights"], len(self.items_), len(self.items_))
