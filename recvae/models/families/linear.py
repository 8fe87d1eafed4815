"""The base of EASE and EDLAE: items x items weights, solved in closed form."""

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp
import torch

from recvae.data.splits import Holdout
from recvae.engine.batch import Batch
from recvae.engine.states import of_shape
from recvae.models.contract import Ability, Change, FitContext, Recommender, as_input
from recvae.models.families.linear_algebra import (
    add_rows_,
    error_of,
    gram,
    grown_inverse,
    inverse_,
    require_memory,
    zero_diagonal_weights_,
)
from recvae.nets.linear_path import user_weights
from recvae.options.ranges import PositiveFloat

MUCH = 4
"""Up to a fourth of the items, changed rows are added to the inverse faster than it is made."""
EXACT = 1e-6
"""The relative error of an updated inverse beyond which it is made anew."""


@dataclass(kw_only=True, eq=False)
class LinearAutoencoder(Recommender):
    """Items x items weights that reconstruct all histories with the least squared error.

    An item's weight for itself is 0. The model reads which items a user has, not their weights.

    Attributes:
        regularization: the penalty on squared weights.
        max_gigabytes: the memory that fitting may take; it grows with the square of the items.
        half_life: see `Model`.
        weights_: float32 [items, items], row i is what item i adds to the score of each item.
        diagonal_: float32 [items], the diagonal of the inverse that the weights are made of, by
            which they can be updated; None if the data were not kept.
    """

    abilities = frozenset({Ability.EXPORT})
    dropout = user_power = item_power = 0.0  # options of EDLAE

    regularization: PositiveFloat
    max_gigabytes: PositiveFloat = 16.0
    half_life: PositiveFloat | None = None

    def score(self, histories: sp.csr_matrix, rows: np.ndarray | None = None) -> torch.Tensor:
        """Sum the weights of the history's items."""
        return self.forward(Batch.of(self.as_read(histories), self.weights_.device))

    def forward(self, batch: Batch) -> torch.Tensor:
        """The scores [users, items] of a batch."""
        return batch.multiply(self.weights_)

    def inverse(self, matrix: sp.csr_matrix) -> torch.Tensor:
        """P = (X'WX + Lambda)^-1 of CSR X [users, items], from which the weights are made.

        Raises:
            OptionError: it takes more memory than `max_gigabytes`.
            TrainingError: the regularization is too small to solve for it.
        """
        require_memory(type(self).__name__, matrix.shape[1], self.max_gigabytes)
        product = gram(self.weighed(matrix))
        product.diagonal().add_(self.penalty(product.diagonal()))
        return inverse_(product)

    def learn(self, train: sp.csr_matrix, validation: Holdout | None, context: FitContext) -> None:
        self._keep(self.inverse(as_input(train)), train.getnnz(axis=0))

    def relearn(self, change: Change, context: FitContext) -> None:
        """Update the inverse by the rows that changed; fit anew if that takes longer."""
        rows, scales = self._difference(as_input(change.before), as_input(change.after))
        inverse = self._updated(change, rows, scales)
        if inverse is None or self._error(inverse, as_input(change.train)) > EXACT:
            self.learn(change.train, None, context)
        else:
            self._keep(inverse, change.train.getnnz(axis=0))

    def _difference(
        self, before: sp.csr_matrix, after: sp.csr_matrix
    ) -> tuple[sp.csr_matrix, np.ndarray]:
        """V and the diagonal of S, such that V'SV is what X'WX + Lambda has more than before."""
        rows = sp.vstack([before, after], format="csr")
        scales = torch.cat([-self.user_weights(before), self.user_weights(after)]).numpy()
        counts = torch.from_numpy(rows.T @ scales)
        more = (self.penalty(counts) - self.penalty(counts * 0)).numpy()
        units = sp.diags(more != 0, dtype=np.float32, format="csr")
        rows, scales = sp.vstack([rows, units], format="csr"), np.concatenate([scales, more])
        there = np.diff(rows.indptr) > 0
        return rows[there], scales[there]

    def _updated(
        self, change: Change, rows: sp.csr_matrix, scales: np.ndarray
    ) -> torch.Tensor | None:
        """P of today; None if so much has changed that to invert it anew is faster."""
        n_known, n_items = len(self.weights_), rows.shape[1]
        if self.diagonal_ is None or len(scales) > n_items / MUCH:
            return None
        require_memory(type(self).__name__, n_items, self.max_gigabytes)
        n_users = change.train.getnnz(axis=0) - change.after.getnnz(axis=0)
        n_users += change.before.getnnz(axis=0)
        known = self.weights_, self.item_scales(n_users[:n_known]), self.diagonal_
        penalty = self.penalty(torch.zeros(n_items - n_known))
        return add_rows_(grown_inverse(*known, penalty), rows, scales)

    def _error(self, inverse: torch.Tensor, train: sp.csr_matrix) -> float:
        """About the relative error of P."""
        weights = self.user_weights(train).numpy()[:, None]
        penalty = self.penalty(torch.from_numpy(train.T @ weights)).numpy()
        return error_of(
            inverse, lambda vectors: train.T @ (weights * (train @ vectors)) + penalty * vectors
        )

    def _keep(self, inverse: torch.Tensor, n_users: np.ndarray) -> None:
        """Make the weights of P, in its memory."""
        self.diagonal_ = None if self.facts_.data is None else inverse.diagonal().clone()
        self.weights_ = zero_diagonal_weights_(inverse)
        self.weights_ *= self.item_scales(n_users)

    def weighed(self, matrix: sp.csr_matrix) -> sp.csr_matrix:
        """CSR X [users, items] times the square root of W: its gram is X'WX."""
        return (sp.diags(self.user_weights(matrix).sqrt().numpy()) @ matrix).tocsr()

    def user_weights(self, matrix: sp.csr_matrix) -> torch.Tensor:
        """The weight of each user, float32 [users]: the diagonal of W."""
        sizes = torch.from_numpy(np.asarray(matrix.sum(axis=1)).ravel())
        return user_weights(sizes, self.user_power)

    def item_scales(self, n_users: np.ndarray) -> torch.Tensor:
        """What the score of an item that so many users have is multiplied by, float32 [items]."""
        return torch.from_numpy(n_users).clamp(min=1).float() ** -self.item_power

    def penalty(self, counts: torch.Tensor) -> torch.Tensor:
        """The penalty on the squared weights of each item, linear in the items' user counts."""
        return self.dropout / (1 - self.dropout) * counts + self.regularization

    def similarities(self, columns: np.ndarray) -> torch.Tensor:
        return self.weights_[torch.from_numpy(columns.astype(np.int64))]

    def state(self) -> dict[str, torch.Tensor]:
        kept = {} if self.diagonal_ is None else {"diagonal": self.diagonal_}
        return {"weights": self.weights_, **kept}

    def restore(self, state: dict[str, torch.Tensor]) -> None:
        n_items, kept = len(self.items_), self.facts_.data is not None
        self.weights_ = of_shape(state["weights"], n_items, n_items)
        self.diagonal_ = of_shape(state["diagonal"], n_items) if kept else None
