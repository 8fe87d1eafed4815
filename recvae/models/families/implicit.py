"""The base of models of the `implicit` library, whose CPU code is used even if there is a GPU."""

from abc import abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import scipy.sparse as sp
import torch
from implicit.recommender_base import ModelFitError
from threadpoolctl import threadpool_limits

from recvae.data.splits import Holdout
from recvae.display.progress import progress
from recvae.engine.states import of_shape
from recvae.errors import TrainingError
from recvae.models.contract import Ability, FitContext, Recommender, as_input
from recvae.options.ranges import NonNegativeFloat, NonNegativeInt, PositiveInt, Threads


def one_blas_thread() -> threadpool_limits:
    """A context in which BLAS keeps to one thread, since implicit runs many of its own."""
    return threadpool_limits(limits=1, user_api="blas")


@dataclass(kw_only=True, eq=False)
class Factorization(Recommender):
    """Matrix factorisation: a score is the inner product of a user's and an item's vector.

    Attributes:
        factors: width of the vectors.
        regularization: the penalty on squared vectors.
        iterations: how many times users and items are updated in turn.
        seed: decides the initial vectors, and all that is sampled.
        n_threads: how many to use; 0 means all.
        item_factors_: float32 [items, factors + biases].
    """

    abilities = frozenset({Ability.VECTORS})
    n_biases: ClassVar[int] = 0
    """The last columns of the factors, which are biases."""

    factors: PositiveInt = 64
    regularization: NonNegativeFloat
    iterations: PositiveInt
    seed: NonNegativeInt = 0
    n_threads: Threads = 0

    @abstractmethod
    def new_solver(self) -> Any:
        """A new model of implicit's with the options of this one."""

    def solver_options(self) -> dict[str, Any]:
        """The options that all models of implicit have, as it calls them."""
        return {
            "factors": self.factors,
            "regularization": self.regularization,
            "iterations": self.iterations,
            "random_state": self.seed,
            "num_threads": self.n_threads,
        }

    def learn(self, train: sp.csr_matrix, validation: Holdout | None, context: FitContext) -> None:
        with one_blas_thread():
            self.run(self.new_solver(), train)

    def run(self, solver: Any, train: sp.csr_matrix) -> None:
        """Fit a model of implicit's, from its vectors or from random ones; keep what it learnt."""
        label, data = f"fitting {self.name}", as_input(train, self.input)
        if not all(part.flags.writeable for part in (data.data, data.indices, data.indptr)):
            data = data.copy()  # implicit takes only what it might write to
        with progress(range(solver.iterations), label, unit="epoch") as bar:
            try:
                solver.fit(data, show_progress=False, callback=lambda *_: bar.update())
            except ModelFitError as error:
                raise TrainingError(
                    f"{label} diverged to NaN or infinite values: lower the learning rate or the "
                    "weights, or raise the regularization."
                ) from error
        self.keep(solver)

    def keep(self, solver: Any) -> None:
        """Take the vectors of a fitted model of implicit's."""
        self.item_factors_ = torch.from_numpy(solver.item_factors)

    def score(self, histories: sp.csr_matrix, rows: np.ndarray | None = None) -> torch.Tensor:
        """Inner products of the users' vectors with all items'."""
        return self.user_vectors(histories, rows) @ self.item_factors_.T

    def last_layer(self) -> tuple[torch.Tensor, torch.Tensor]:
        """The items' vectors, biases among them."""
        return self.item_factors_, self.item_factors_.new_zeros(len(self.item_factors_))

    def item_vectors(self) -> torch.Tensor:
        return self.item_factors_[:, : self.factors]

    def state(self) -> dict[str, torch.Tensor]:
        return {"item_factors": self.item_factors_}

    def restore(self, state: dict[str, torch.Tensor]) -> None:
        width = self.factors + self.n_biases
        self.item_factors_ = of_shape(state["item_factors"], len(self.items_), width)


class TrainedUsers(Factorization):
    """A factorisation with a vector for each training user; it can't serve new users.

    Attributes:
        user_factors_: float32 [training users, factors + biases].
    """

    supports_new_users = False

    def user_vectors(
        self, histories: sp.csr_matrix, rows: np.ndarray | None = None
    ) -> torch.Tensor:
        """The vectors of training users."""
        return self.user_factors_[torch.from_numpy(self.checked_rows(rows, histories.shape[0]))]

    def keep(self, solver: Any) -> None:
        super().keep(solver)
        self.user_factors_ = torch.from_numpy(solver.user_factors)

    def state(self) -> dict[str, torch.Tensor]:
        return {"user_factors": self.user_factors_, **super().state()}

    def restore(self, state: dict[str, torch.Tensor]) -> None:
        super().restore(state)
        width = self.factors + self.n_biases
        self.user_factors_ = of_shape(state["user_factors"], self.n_users_, width)
