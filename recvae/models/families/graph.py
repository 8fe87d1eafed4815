"""The graph of items that users connect: products with its matrix, which is never made."""

from dataclasses import dataclass
from typing import Self

import numpy as np
import scipy.sparse as sp
import torch

from recvae.engine.batch import Batch

ITERATIONS, SPARE = 4, 32
"""How often a random subspace is multiplied by the matrix, and how much wider it is than asked."""


@dataclass(frozen=True)
class ItemGraph:
    """A = R'R of R = D_u^-1/2 X D_i^-1/2, for a binary X [users, items] and its degrees D.

    Its eigenvalues are from 0 to 1. Only the entries of R are kept, by user and by item: A has
    many more.

    Attributes:
        by_user: R [users, items].
        by_item: R' [items, users].
    """

    by_user: Batch
    by_item: Batch

    @classmethod
    def of(cls, histories: sp.csr_matrix) -> Self:
        """The graph of binary CSR [users, items]."""
        users, items = (_inverse_roots(histories.sum(axis=axis)) for axis in (1, 0))
        normalized = users @ histories @ items
        return cls(_as_batch(normalized), _as_batch(normalized.T.tocsr()))

    @property
    def degrees(self) -> torch.Tensor:
        """float32 [items]: how many users have each item, 1 for those that none has."""
        return self.by_item.offsets.diff().clamp(min=1).float()

    def multiply(self, signals: torch.Tensor) -> torch.Tensor:
        """A times dense signals [items, n]."""
        return self.by_item.multiply(self.by_user.multiply(signals))

    def eigenvectors(self, rank: int, generator: torch.Generator) -> torch.Tensor:
        """Orthonormal float32 [items, rank]: about the eigenvectors of the largest eigenvalues.

        By subspace iteration from a random start (Halko, Martinsson & Tropp, "Finding Structure
        with Randomness", SIAM Review 2011, algorithms 4.4 and 5.3).
        """
        n_items = len(self.by_item)
        basis = torch.randn(n_items, min(rank + SPARE, n_items), generator=generator)
        for _ in range(ITERATIONS):
            basis, _ = torch.linalg.qr(self.multiply(basis))
        image = self.by_user.multiply(basis)
        _, rotation = torch.linalg.eigh(image.T @ image)
        return basis @ rotation[:, -min(rank, n_items) :]


def _inverse_roots(degrees: np.ndarray) -> sp.csr_matrix:
    """D^-1/2 of degrees [n, 1] or [1, n], where 0 counts as 1."""
    return sp.diags(np.maximum(np.asarray(degrees).ravel(), 1) ** -0.5, format="csr")


def _as_batch(matrix: sp.csr_matrix) -> Batch:
    batch = Batch.of(matrix, torch.device("cpu"))
    _ = batch.rows  # kept from here on: an ONNX graph can't compute it
    return batch
