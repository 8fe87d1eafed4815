"""The base of models of the `implicit` library, whose CPU code is used even if there is a GPU."""

from typing import Any, ClassVar

import numpy as np
import scipy.sparse as sp
import torch
from implicit.recommender_base import ModelFitError
from threadpoolctl import threadpool_limits

from recvae.display.progress import progress
from recvae.engine.states import of_shape
from recvae.errors import TrainingError
from recvae.models.contract.recommender import Recommender


def one_blas_thread() -> threadpool_limits:
    """A context in which BLAS keeps to one thread, since implicit runs many of its own."""
    return threadpool_limits(limits=1, user_api="blas")


def fit_implicit(model: Any, matrix: sp.csr_matrix, label: str) -> None:
    """Fit a model of implicit's under our progress bar.

    Raises:
        TrainingError: its factors are no longer finite.
    """
    with progress(range(model.iterations), label, unit="epoch") as bar:
        try:
            model.fit(matrix, show_progress=False, callback=lambda *_: bar.update())
        except ModelFitError as error:
            raise TrainingError(
                f"{label} diverged to NaN or infinite values: lower the learning rate or the "
                "weights, or raise the regularization."
            ) from error


class TrainedUsers(Recommender):
    """A factorisation with a vector for each training user; it can't serve new users.

    Attributes:
        user_factors_: float32 [training users, factors + biases].
        item_factors_: float32 [items, factors + biases].
    """

    supports_new_users: ClassVar[bool] = False
    n_biases: ClassVar[int]
    """The last columns of the factors, which are biases."""

    factors: int

    def score(self, histories: sp.csr_matrix, rows: np.ndarray | None = None) -> torch.Tensor:
        """Inner products of the users' vectors with all items'."""
        users = torch.from_numpy(self.checked_rows(rows, histories.shape[0]))
        return self.user_factors_[users] @ self.item_factors_.T

    def _factorize(self, model: Any, matrix: sp.csr_matrix) -> None:
        with one_blas_thread():
            fit_implicit(model, matrix, f"fitting {self.name}")
        self.user_factors_ = torch.from_numpy(model.user_factors)
        self.item_factors_ = torch.from_numpy(model.item_factors)

    def item_vectors(self) -> torch.Tensor:
        return self.item_factors_[:, : self.factors]

    def state(self) -> dict[str, torch.Tensor]:
        return {"user_factors": self.user_factors_, "item_factors": self.item_factors_}

    def restore(self, state: dict[str, torch.Tensor]) -> None:
        width = self.factors + self.n_biases
        self.user_factors_ = of_shape(state["user_factors"], self.n_users_, width)
        self.item_factors_ = of_shape(state["item_factors"], len(self.items_), width)
