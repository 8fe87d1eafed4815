"""ImplicitLMF: logistic matrix factorisation."""

from dataclasses import dataclass
from typing import ClassVar

import scipy.sparse as sp
from implicit.cpu.lmf import LogisticMatrixFactorization

from recvae.data.splits import Holdout
from recvae.models.contract.fitting import FitContext
from recvae.models.contract.inputs import Input, as_input
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
class ImplicitLMF(TrainedUsers):
    """Logistic matrix factorisation (Johnson, "Logistic Matrix Factorization for Implicit
    Feedback Data", NeurIPS workshop 2014), learnt by the `implicit` library.

    It can serve only the users that it was trained on.

    Attributes:
        factors: width of the vectors.
        learning_rate: Adagrad's.
        regularization: the penalty on squared vectors.
        negatives: how many items that a user does not have are sampled for each one that they
            have; implicit takes at most `factors` + 2 for a user.
        iterations: how many times users and items are updated in turn.
        input: "binary" sets every weight to 1; "counts" takes them as they are.
        seed: decides the initial vectors and the samples, for a given number of threads.
        n_threads: how many to use; 0 means all.
    """

    name: ClassVar[str] = "lmf"
    n_biases: ClassVar[int] = 2
    space: ClassVar[Space] = {
        "factors": Int(8, 128, log=True),
        "learning_rate": Float(0.1, 3.0, log=True),
        "regularization": Float(0.3, 30.0, log=True),
        "iterations": Int(15, 120, log=True),
    }

    factors: PositiveInt = 32
    learning_rate: PositiveFloat = 1.0
    regularization: NonNegativeFloat = 3.0
    negatives: PositiveInt = 30
    iterations: PositiveInt = 60
    input: Input = "binary"
    seed: NonNegativeInt = 0
    n_threads: Threads = 0

    def learn(self, train: sp.csr_matrix, validation: Holdout | None, context: FitContext) -> None:
        model = LogisticMatrixFactorization(
            factors=self.factors,
            learning_rate=self.learning_rate,
            regularization=self.regularization,
            neg_prop=self.negatives,
            iterations=self.iterations,
            random_state=self.seed,
            num_threads=self.n_threads,
        )
        self._factorize(model, as_input(train, self.input))
