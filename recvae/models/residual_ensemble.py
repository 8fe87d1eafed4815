"""ResidualEnsemble: an ensemble of ResidualVAEs, ELSA and ImplicitALS."""

from dataclasses import dataclass
from typing import Annotated, ClassVar

import numpy as np
import scipy.sparse as sp
from annotated_types import Ge, Le, MinLen

from recvae.data.splits import Holdout
from recvae.models.contract.fitting import FitContext
from recvae.models.contract.recommender import Recommender
from recvae.models.elsa import ELSA
from recvae.models.families.linear_algebra import require_memory
from recvae.models.families.pooled import PooledRecommender
from recvae.models.implicit_als import ImplicitALS
from recvae.models.residual_vae import ResidualVAE
from recvae.options.ranges import NonNegativeFloat, NonNegativeInt, PositiveFloat, PositiveInt
from recvae.options.spaces import Float, Int, Space


@dataclass(kw_only=True, eq=False)
class ResidualEnsemble(PooledRecommender):
    """ResidualVAEs, ELSA and ImplicitALS, pooled: the most accurate model of the package.

    Each member is fitted by itself. An item's score is the sum of its log-probabilities by all
    members. A neural, a linear and a factor model make different errors, which the sum evens out.
    The ResidualVAEs share their linear path. Options that are not named here have the members'
    defaults.

    Attributes:
        n_vaes: number of ResidualVAEs, which differ in their seeds alone.
        latent: width of the ResidualVAEs' codes.
        width: width of the layers of the ResidualVAEs' encoders.
        gamma: the weight of the ResidualVAEs' KL terms for each item of a user.
        epochs: epochs of the ResidualVAEs' training, at most.
        rank: width of ELSA's vectors.
        factors: width of ImplicitALS's vectors.
        max_gigabytes: the memory that the items x items matrix of ResidualVAE may take.
        seed: decides everything random in all members.
        device: the device of ResidualVAE and ELSA: "auto", "cpu", "cuda", "mps", ...
        members_: the fitted models: `elsa`, `als`, `vae0`, `vae1`, ...; with fewer ResidualVAEs if
            Ctrl-C ended their training.
        history_: DataFrame, a row an epoch of the first ResidualVAE.
        interrupted_: whether Ctrl-C ended the training of the ResidualVAEs early.
    """

    name: ClassVar[str] = "ensemble"
    space: ClassVar[Space] = {
        "latent": Int(100, 400, log=True),
        "gamma": Float(5e-4, 1e-2, log=True),
        "rank": Int(64, 1024, log=True),
        "factors": Int(32, 256, log=True),
    }

    n_vaes: Annotated[int, Ge(1), Le(100)] = 2
    latent: PositiveInt = 200
    width: PositiveInt = 600
    gamma: NonNegativeFloat = 0.002
    epochs: PositiveInt = 60
    rank: PositiveInt = 256
    factors: PositiveInt = 64
    max_gigabytes: PositiveFloat = 16.0
    seed: NonNegativeInt = 0
    device: Annotated[str, MinLen(1)] = "auto"

    def new_members(self) -> dict[str, Recommender]:
        seeds = np.random.SeedSequence(self.seed).generate_state(self.n_vaes)
        return {
            "elsa": ELSA(latent=self.rank, seed=self.seed, device=self.device),
            "als": ImplicitALS(factors=self.factors, seed=self.seed),
            **{
                f"vae{number}": ResidualVAE(
                    latent=self.latent,
                    width=self.width,
                    gamma=self.gamma,
                    epochs=self.epochs,
                    max_gigabytes=self.max_gigabytes,
                    seed=int(seed),
                    device=self.device,
                )
                for number, seed in enumerate(seeds)
            },
        }

    def may_lack(self, name: str) -> bool:
        """One ResidualVAE is enough."""
        return name.startswith("vae") and name != "vae0"

    def learn(self, train: sp.csr_matrix, validation: Holdout | None, context: FitContext) -> None:
        require_memory(type(self).__name__, train.shape[1], self.max_gigabytes)
        super().learn(train, validation, context)
