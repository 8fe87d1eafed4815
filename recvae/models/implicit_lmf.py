"""ImplicitLMF: logistic matrix factorisation."""

from dataclasses import dataclass

from implicit.cpu.lmf import LogisticMatrixFactorization

from recvae.models.contract import Input
from recvae.models.families.implicit import TrainedUsers
from recvae.options.ranges import NonNegativeFloat, PositiveFloat, PositiveInt
from recvae.options.spaces import Float, Int


@dataclass(kw_only=True, eq=False)
class ImplicitLMF(TrainedUsers):
    """Logistic matrix factorisation (Johnson, "Logistic Matrix Factorization for Implicit
    Feedback Data", NeurIPS workshop 2014), learnt by the `implicit` library.

    It can serve only the users that it was trained on. The same seed gives the same result for a
    given number of threads. Options: see `Factorization`.

    Attributes:
        learning_rate: Adagrad's.
        negatives: how many items that a user does not have are sampled for each one that they
            have; implicit takes at most `factors` + 2 for a user.
        input: "binary" sets every weight to 1; "counts" takes them as they are.
    """

    name = "lmf"
    n_biases = 2
    space = {
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

    def new_solver(self) -> LogisticMatrixFactorization:
        return LogisticMatrixFactorization(
            learning_rate=self.learning_rate, neg_prop=self.negatives, **self.solver_options()
        )
