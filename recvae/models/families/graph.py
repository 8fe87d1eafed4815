"""The graph of items that users connect: products with its matrix, which is never made."""

from dataclasses import dataclass
from typing import Self

import numpy as np
import scipy.sparse as sp
import torch

from recvae.engine.batch import Batch

ITERATIONS, DEGREE, SPARE = 4, 4, 32
"""How often a subspace is amplified, by polynomials of which degree; how many vectors it has more
than are asked for."""
LEAST = 1e-2
"""The least eigenvalue that counts as large."""


@dataclass(frozen=True)
class ItemGraph:
    """A = R'R of R = D_u^-p/2 X D_i^-q, for a binary X [users, items], its degrees D and powers.

    With p = 1 and q = 1/2 the eigenvalues are from 0 to 1, else from 0 on. Only the entries of R
    are kept, by user and by item: A has many more.

    Attributes:
        by_user: R [users, items].
        by_item: R' [items, users].
    """

    by_user: Batch
    by_item: Batch

    @classmethod
    def of(cls, histories: sp.csr_matrix, user_power: float, item_power: float) -> Self:
        """The graph of binary CSR [users, items], with p = `user_power` and q = `item_power`."""
        users = _scale(histories.sum(axis=1), user_power / 2)
        items = _scale(histories.sum(axis=0), item_power)
        normalized = users @ histories @ items
        return cls(_as_batch(normalized), _as_batch(normalized.T.tocsr()))

    @property
    def degrees(self) -> torch.Tensor:
        """float32 [items]: how many users have each item, 1 for those that none has."""
        return self.by_item.offsets.diff().clamp(min=1).float()

    def multiply(self, signals: torch.Tensor) -> torch.Tensor:
        """A times dense signals [items, n]."""
        return self.by_item.multiply(self.by_user.multiply(signals))

    def smoothest(self, rank: int, generator: torch.Generator) -> tuple[torch.Tensor, torch.Tensor]:
        """About the largest eigenvalues of A [rank], and their vectors [items, rank].

        A random subspace is multiplied by polynomials in A that grow fastest beyond the smallest
        eigenvalue that was found so far (Zhou & Saad, "A Chebyshev-Davidson Algorithm for Large
        Symmetric Eigenproblems", SIAM J. Matrix Anal. Appl. 2007).
        """
        n_items, least = len(self.by_item), LEAST
        basis = torch.randn(n_items, min(rank + SPARE, n_items), generator=generator)
        for _ in range(ITERATIONS):
            basis, _ = torch.linalg.qr(self._amplified(basis, least))
            image = self.by_user.multiply(basis)
            values, rotation = torch.linalg.eigh(image.T @ image)
            least = max(values[0].item(), LEAST)
        return values[-rank:], basis @ rotation[:, -rank:]

    def _amplified(self, basis: torch.Tensor, least: float) -> torch.Tensor:
        """Chebyshev's polynomial in A: below 1 up to the eigenvalue `least`, growing beyond it."""
        before, now = basis, self._stretched(basis, least)
        for _ in range(DEGREE - 1):
            before, now = now, 2 * self._stretched(now, least) - before
        return now

    def _stretched(self, basis: torch.Tensor, least: float) -> torch.Tensor:
        """2A / least - I times a basis: eigenvalues from 0 to `least` go from -1 to 1."""
        return 2 / least * self.multiply(basis) - basis


def _scale(degrees: np.ndarray, power: float) -> sp.csr_matrix:
    """D^-power of degrees [n, 1] or [1, n], where 0 counts as 1."""
    scale = np.maximum(np.asarray(degrees).ravel(), 1).astype(np.float32) ** -power
    return sp.diags(scale, format="csr")


def _as_batch(matrix: sp.csr_matrix) -> Batch:
    batch = Batch.of(matrix, torch.device("cpu"))
    _ = batch.rows  # kept from here on: an ONNX graph can't compute it
    return batch
