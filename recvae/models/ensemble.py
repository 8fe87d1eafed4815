"""Ensemble: three models that know different things, asked together."""

from dataclasses import dataclass
from typing import Annotated, ClassVar

import numpy as np
import scipy.sparse as sp
import torch
from annotated_types import MinLen

from recvae.batches import Batch
from recvae.models.base import Recommender
from recvae.models.elsa import ELSA
from recvae.models.implicit_als import ImplicitALS
from recvae.models.inputs import as_input
from recvae.models.residual_vae import ResidualVAE
from recvae.options import NonNegativeFloat, NonNegativeInt, PositiveInt
from recvae.pooling import log_shares
from recvae.spaces import Real, Space, Whole
from recvae.splits import Holdout


@dataclass(kw_only=True, eq=False)
class Ensemble(Recommender):
    """ResidualVAE, ELSA and ImplicitALS, pooled: the most accurate model of the package.

    Each is fitted by itself; an item's score is the sum of its log-probabilities by the three
    (see `recvae.pooling`). No weights are learnt and none need to be: a neural, a linear and a
    factor model err differently. Options that are not named here are the models' own defaults.

    Attributes:
        latent: width of ResidualVAE's code.
        width: of its encoder's layers.
        gamma: the weight of its KL term for each item of a user.
        epochs: of its training, at most.
        rank: width of ELSA's vectors.
        factors: width of ImplicitALS's vectors.
        seed: decides everything random in the three.
        device: where ResidualVAE and ELSA live: "auto", "cpu", "cuda", "mps", ...
        vae_: the fitted ResidualVAE.
        elsa_: the fitted ELSA.
        als_: the fitted ImplicitALS.
        history_: DataFrame, a row an epoch of ResidualVAE.
    """

    name: ClassVar[str] = "ensemble"
    space: ClassVar[Space] = {
        "latent": Whole(100, 400, log=True),
        "gamma": Real(5e-4, 1e-2, log=True),
        "rank": Whole(64, 1024, log=True),
        "factors": Whole(32, 256, log=True),
    }

    latent: PositiveInt = 200
    width: PositiveInt = 600
    gamma: NonNegativeFloat = 0.002
    epochs: PositiveInt = 60
    rank: PositiveInt = 256
    factors: PositiveInt = 64
    seed: NonNegativeInt = 0
    device: Annotated[str, MinLen(1)] = "auto"

    def score(self, histories: sp.csr_matrix, rows: np.ndarray | None = None) -> torch.Tensor:
        """Sum the members' log-probabilities, each but for a constant per user."""
        total = self.vae_.score(histories)
        seen = Batch.of(as_input(histories), total.device)
        for member in (self.elsa_, self.als_):
            total += log_shares(member.score(histories).to(total.device), seen)
        return total

    def encode(self, histories: sp.csr_matrix) -> tuple[np.ndarray, np.ndarray]:
        """Encode tastes as Gaussians, by ResidualVAE: mean and log-variance, [users, latent]."""
        self._require_fitted()
        return self.vae_.encode(histories)

    def _fit(self, train: sp.csr_matrix, validation: Holdout | None) -> None:
        self._build()
        self.als_.fit(train)
        if self.elsa_.fit(train, validation).interrupted_:
            raise KeyboardInterrupt
        self.vae_.fit(train, validation, on_epoch=self._on_epoch)
        self.history_ = self.vae_.history_

    @property
    def interrupted_(self) -> bool:
        """Whether Ctrl-C ended the training of ResidualVAE, the last to be trained, early."""
        return self.vae_.interrupted_

    def _build(self) -> None:
        self.vae_ = ResidualVAE(
            latent=self.latent,
            width=self.width,
            gamma=self.gamma,
            epochs=self.epochs,
            seed=self.seed,
            device=self.device,
        )
        self.elsa_ = ELSA(latent=self.rank, seed=self.seed, device=self.device)
        self.als_ = ImplicitALS(factors=self.factors, seed=self.seed)

    @property
    def _members(self) -> dict[str, Recommender]:
        return {"vae": self.vae_, "elsa": self.elsa_, "als": self.als_}

    def _item_vectors(self) -> torch.Tensor:
        return self.elsa_._item_vectors()

    def _state(self) -> dict[str, torch.Tensor]:
        return {
            f"{name}.{key}": tensor
            for name, member in self._members.items()
            for key, tensor in member._state().items()
        }

    def _restore(self, state: dict[str, torch.Tensor]) -> None:
        self._build()
        for name, member in self._members.items():
            member.items_, member.item_counts_ = self.items_, self.item_counts_
            member.n_users_, member.fingerprint_ = self.n_users_, self.fingerprint_
            prefix = f"{name}."
            member._restore(
                {key.removeprefix(prefix): state[key] for key in state if key.startswith(prefix)}
            )
