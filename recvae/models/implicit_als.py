"""ImplicitALS: weighted matrix factorisation by alternating least squares."""

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp
import torch
from implicit.cpu.als import AlternatingLeastSquares

from recvae.engine.batch import Batch
from recvae.errors import TrainingError
from recvae.models.contract import Ability, Change, FitContext, Input
from recvae.models.families.implicit import Factorization, one_blas_thread
from recvae.options.ranges import PositiveFloat, PositiveInt
from recvae.options.spaces import Float, Int

ROUNDS = 2
"""How many iterations an update has. After one, newcomers get worse lists than by a fit."""


@dataclass(kw_only=True, eq=False)
class ImplicitALS(Factorization):
    """Weighted matrix factorisation (Hu, Koren & Volinsky, "Collaborative Filtering for Implicit
    Feedback Datasets", ICDM 2008), learnt by the `implicit` library.

    A user's vector is computed from their history and the items' vectors by least squares, for
    training users and new users alike. So only the items' vectors are kept. Options: see
    `Factorization`.

    Attributes:
        regularization: the penalty on squared vectors. It is not scaled by the data: the more
            users, the higher it should be.
        alpha: the confidence of an interaction is alpha times its weight; that of an item that the
            user does not have is 1.
        input: "binary" sets every weight to 1; "counts" takes them as they are.
        half_life: see `Model`.
    """

    name = "als"
    space = {
        "factors": Int(32, 256, log=True),
        "alpha": Float(1.0, 40.0, log=True),
        "regularization": Float(0.01, 200.0, log=True),
    }
    abilities = frozenset({Ability.EXPORT, Ability.VECTORS})

    regularization: PositiveFloat = 20.0
    alpha: PositiveFloat = 4.0
    iterations: PositiveInt = 15
    input: Input = "binary"
    half_life: PositiveFloat | None = None

    def user_vectors(
        self, histories: sp.csr_matrix, rows: np.ndarray | None = None
    ) -> torch.Tensor:
        """Compute the users' vectors, by least squares.

        Raises:
            TrainingError: they can't be solved for within the precision of float32.
        """
        weights, users = self.as_read(histories), np.arange(histories.shape[0])
        try:
            with one_blas_thread():
                solver = self.new_solver()
                solver.item_factors = self.item_factors_.numpy()
                vectors = solver.recalculate_user(users, weights)
        except ValueError as error:  # implicit's, of LAPACK
            raise TrainingError(
                "a user's vector can't be solved for: the items' vectors or the weights are too "
                "large, or the items too much alike. Train again with more regularization, or "
                "lower the weights."
            ) from error
        return torch.from_numpy(vectors)

    def forward(self, batch: Batch) -> torch.Tensor:
        """The scores [users, items] of rows of one length, by operators that an ONNX graph has.

        The users' vectors are those of Hu, Koren & Volinsky, 2008, equation 4.
        """
        # The normal equations of each user: confidence 1 for every item, alpha for their own. The
        # sum over all items is the same for all users; that over the history is added to it.
        every, own = self.item_factors_, self.item_factors_[batch.columns]
        shared = every.T @ every + self.regularization * torch.eye(self.factors, dtype=every.dtype)
        left = shared + own.mT @ ((self.alpha - 1) * batch.values[:, :, None] * own)
        right = own.mT @ (self.alpha * batch.values[:, :, None])
        return _solve(left, right) @ every.T

    def relearn(self, change: Change, context: FitContext) -> None:
        """Solve for users and items a few times more, from the items' vectors that there are."""
        known, n_items = self.item_factors_.numpy(), change.train.shape[1]
        with one_blas_thread():
            solver = self.new_solver()
            solver.iterations = ROUNDS
            solver.item_factors = np.pad(known, ((0, n_items - len(known)), (0, 0)))
            self.run(solver, change.train)

    def new_solver(self) -> AlternatingLeastSquares:
        return AlternatingLeastSquares(alpha=self.alpha, **self.solver_options())


def _solve(left: torch.Tensor, right: torch.Tensor) -> torch.Tensor:
    """Solve positive definite systems [n, f, f] and [n, f, 1] by Gauss-Jordan elimination: [n, f].

    ONNX has no operator that solves linear systems; these are simple ones.
    """
    # [A | b] becomes [I | A^-1 b]: each round scales one row so that its pivot is 1, and subtracts
    # multiples of it from all rows. `factors` is the pivot's column minus the unit vector, so that
    # the pivot row itself ends as the scaled row. No pivoting is needed: A is positive definite.
    n_factors = left.shape[1]
    system, units = torch.cat([left, right], dim=2), torch.eye(n_factors, dtype=left.dtype)
    for row in range(n_factors):
        pivot = system[:, row : row + 1] / system[:, row : row + 1, row : row + 1]
        factors = system[:, :, row : row + 1] - units[:, row : row + 1]
        system = system - factors * pivot
    return system[:, :, -1]
