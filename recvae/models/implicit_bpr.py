"""ImplicitBPR: matrix factorisation that learns to rank pairs of items."""

from dataclasses import dataclass

from implicit.cpu.bpr import BayesianPersonalizedRanking

from recvae.models.families.implicit import TrainedUsers
from recvae.options.ranges import NonNegativeFloat, PositiveFloat, PositiveInt, Threads
from recvae.options.spaces import Float, Int


@dataclass(kw_only=True, eq=False)
class ImplicitBPR(TrainedUsers):
    """Bayesian personalised ranking (Rendle et al., UAI 2009), learnt by the `implicit` library.

    The item that should rank lower is sampled in proportion to popularity. Weights are not read.
    It can serve only the users that it was trained on. Options: see `Factorization`.

    Attributes:
        learning_rate: of stochastic gradient descent.
        iterations: passes through the interactions.
        n_threads: how many to use; 0 means all. They update the same vectors without locks, so
            that the same seed gives the same result only with 1 thread.
    """

    name = "bpr"
    n_biases = 1
    space = {
        "factors": Int(16, 256, log=True),
        "learning_rate": Float(1e-3, 0.1, log=True),
        "regularization": Float(1e-4, 0.1, log=True),
        "iterations": Int(20, 200, log=True),
    }

    learning_rate: PositiveFloat = 0.005
    regularization: NonNegativeFloat = 0.003
    iterations: PositiveInt = 50
    n_threads: Threads = 1

    def new_solver(self) -> BayesianPersonalizedRanking:
        return BayesianPersonalizedRanking(
            learning_rate=self.learning_rate, **self.solver_options()
        )
