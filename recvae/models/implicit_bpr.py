"""ImplicitBPR: matrix factorisation that learns to rank pairs of items."""

from dataclasses import dataclass
from typing import ClassVar

import scipy.sparse as sp
from implicit.cpu.bpr import BayesianPersonalizedRanking

from recvae.data.splits import Holdout
from recvae.models.contract.fitting import FitContext
from recvae.models.contract.inputs import as_input
from recvae.models.families.implicit import TrainedUsers
from recvae.options.ranges import (
    NonNegativeFloat,
    NonNegativeInt,
    PositiveFloat,
    PositiveInt,
    Threads,
)
from recvae.options.spaces import Float, Int, Space


@dataclass(kw_only=True, eq=False)
class ImplicitBPR(TrainedUsers):
    """Bayesian personalised ranking (Rendle et al., UAI 2009), learnt by the `implicit` library.

    The item that should rank lower is sampled in proportion to popularity. Weights are not read.
    It can serve only the users that it was trained on.

    Attributes:
        factors: width of the vectors.
        learning_rate: of stochastic gradient descent.
        regularization: the penalty on squared vectors.
        iterations: passes through the interactions.
        seed: decides the initial vectors and the pairs.
        n_threads: how many to use; 0 means all. They update the same vectors without locks, so
            that the same seed gives the same result only with 1 thread.
    """

    name: ClassVar[str] = "bpr"
    n_biases: ClassVar[int] = 1
    space: ClassVar[Space] = {
        "factors": Int(16, 256, log=True),
        "learning_rate": Float(1e-3, 0.1, log=True),
        "regularization": Float(1e-4, 0.1, log=True),
        "iterations": Int(20, 200, log=True),
    }

    factors: PositiveInt = 64
    learning_rate: PositiveFloat = 0.005
    regularization: NonNegativeFloat = 0.003
    iterations: PositiveInt = 50
    seed: NonNegativeInt = 0
    n_threads: Threads = 1

    def learn(self, train: sp.csr_matrix, validation: Holdout | None, context: FitContext) -> None:
        model = BayesianPersonalizedRanking(
            factors=self.factors,
            learning_rate=self.learning_rate,
            regularization=self.regularization,
            iterations=self.iterations,
            random_state=self.seed,
            num_threads=self.n_threads,
        )
        self._factorize(model, as_input(train))
