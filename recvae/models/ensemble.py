"""Ensemble: models that know different things, their scores combined."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, ClassVar

import numpy as np
import scipy.sparse as sp
import torch
from annotated_types import MinLen
from torch import nn

from recvae.data.splits import Holdout
from recvae.engine.batch import Batch
from recvae.models.contract.abilities import Ability
from recvae.models.contract.fitting import FitContext
from recvae.models.contract.inputs import as_input
from recvae.models.contract.recommender import Recommender
from recvae.models.elsa import ELSA
from recvae.models.families.linear_algebra import require_memory
from recvae.models.families.pooling import log_proportions
from recvae.models.implicit_als import ImplicitALS
from recvae.models.residual_vae import ResidualVAE
from recvae.options.ranges import NonNegativeFloat, NonNegativeInt, PositiveFloat, PositiveInt
from recvae.options.spaces import Float, Int, Space

LINEAR = "linear."
"""What the names of the linear path's tensors begin with."""


@dataclass(kw_only=True, eq=False)
class Ensemble(Recommender):
    """ResidualVAEs, ELSA and ImplicitALS, pooled: the most accurate model of the package.

    Each is fitted by itself; an item's score is the sum of its log-probabilities by all of them
    (see `pooling.py`). No weights are learnt and none need to be: a neural, a linear and a
    factor model err differently. Options that are not named here are the models' own defaults.

    Attributes:
        n_vaes: how many ResidualVAEs, which differ in their seeds alone.
        latent: width of their codes.
        width: of their encoders' layers.
        gamma: the weight of their KL terms for each item of a user.
        epochs: of their training, at most.
        rank: width of ELSA's vectors.
        factors: width of ImplicitALS's vectors.
        max_gigabytes: the memory that the items x items matrix of ResidualVAE may take.
        seed: decides everything random in all of them.
        device: where ResidualVAE and ELSA live: "auto", "cpu", "cuda", "mps", ...
        vaes_: the fitted ResidualVAEs; fewer than asked for if Ctrl-C ended their training.
        elsa_: the fitted ELSA.
        als_: the fitted ImplicitALS.
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

    abilities: ClassVar[frozenset[Ability]] = frozenset(Ability) - {Ability.GENERATION}

    n_vaes: PositiveInt = 2
    latent: PositiveInt = 200
    width: PositiveInt = 600
    gamma: NonNegativeFloat = 0.002
    epochs: PositiveInt = 60
    rank: PositiveInt = 256
    factors: PositiveInt = 64
    max_gigabytes: PositiveFloat = 16.0
    seed: NonNegativeInt = 0
    device: Annotated[str, MinLen(1)] = "auto"

    def score(self, histories: sp.csr_matrix, rows: np.ndarray | None = None) -> torch.Tensor:
        """Sum the members' log-probabilities, each but for a constant per user."""
        seen = self.vaes_[0].batch(histories)
        return self.pool(lambda member: member.score(histories), seen)

    def pool(self, score: Callable[[Recommender], torch.Tensor], seen: Batch) -> torch.Tensor:
        """Sum the log-probabilities of the members, given what scores each and the histories."""
        first, *others = self.vaes_
        total = score(first)
        for vae in others:
            total += score(vae)
        for member in (self.elsa_, self.als_):
            total += log_proportions(score(member).to(total.device), seen)
        return total

    def forward(self, batch: Batch) -> torch.Tensor:
        """What `score` gives, by what the members' `forward` gives: [users, items]."""
        return self.pool(lambda member: member.forward(batch), batch)

    @property
    def nets_(self) -> list[nn.Module]:
        """The nets of all members."""
        return [net for member in self._members.values() for net in member.nets_]

    def encode(self, histories: sp.csr_matrix) -> tuple[np.ndarray, np.ndarray]:
        """Encode tastes as Gaussians by the first ResidualVAE: see its `encode`."""
        self.require_fitted()
        return self.vaes_[0].encode(histories)

    def decode(self, codes: np.ndarray) -> torch.Tensor:
        """Score all items by the decoder of the first ResidualVAE alone: see its `decode`."""
        self.require_fitted()
        return self.vaes_[0].decode(codes)

    def _build(self, n_vaes: int) -> None:
        seeds = np.random.SeedSequence(self.seed).generate_state(n_vaes)
        self.vaes_ = [self._new_vae(int(seed)) for seed in seeds]
        self.elsa_ = ELSA(latent=self.rank, seed=self.seed, device=self.device)
        self.als_ = ImplicitALS(factors=self.factors, seed=self.seed)

    def _new_vae(self, seed: int) -> ResidualVAE:
        return ResidualVAE(
            latent=self.latent,
            width=self.width,
            gamma=self.gamma,
            epochs=self.epochs,
            max_gigabytes=self.max_gigabytes,
            seed=seed,
            device=self.device,
        )

    def learn(self, train: sp.csr_matrix, validation: Holdout | None, context: FitContext) -> None:
        require_memory("Ensemble", train.shape[1], self.max_gigabytes)
        self._build(self.n_vaes)
        self.als_.fit(train)
        if self.elsa_.fit(train, validation, checkpoints=context.part("elsa")).interrupted_:
            raise KeyboardInterrupt
        self._fit_vaes(train, validation, context)
        for member in self._members.values():
            member.belong_to(self.facts_)
        self.history_ = self.vaes_[0].history_

    def _fit_vaes(
        self, train: sp.csr_matrix, validation: Holdout | None, context: FitContext
    ) -> None:
        """Train one after another; Ctrl-C leaves those that were trained."""
        trained: list[ResidualVAE] = []
        path = self.vaes_[0].solve(as_input(train))
        for number, vae in enumerate(self.vaes_):
            vae.linear_path = path
            told = None if trained else context.on_epoch
            try:
                trained.append(vae.fit(train, validation, told, context.part(f"vae{number}")))
                self.interrupted_ = vae.interrupted_
            except KeyboardInterrupt:
                self.interrupted_ = True
            if self.interrupted_:
                break
        if not trained:
            raise KeyboardInterrupt
        self.vaes_ = trained

    @property
    def _members(self) -> dict[str, Recommender]:
        vaes = {f"vae{number}": vae for number, vae in enumerate(self.vaes_)}
        return vaes | {"elsa": self.elsa_, "als": self.als_}

    def item_vectors(self) -> torch.Tensor:
        return self.elsa_.item_vectors()

    def state(self) -> dict[str, torch.Tensor]:
        states = {name: member.state() for name, member in self._members.items()}
        return {
            f"{name}.{key}": tensor
            for name, state in states.items()
            for key, tensor in state.items()
            if name == "vae0" or not key.startswith(LINEAR)
        }

    def restore(self, state: dict[str, torch.Tensor]) -> None:
        names = {key.partition(".")[0] for key in state if key.startswith("vae")}
        self._build(n_vaes=max(len(names), 1))
        shared: dict[str, torch.Tensor] = {}
        for name, member in self._members.items():
            member.belong_to(self.facts_)
            own = _part(state, f"{name}.")
            member.restore(own | shared if name.startswith("vae") else own)
            shared = shared or _part(member.state(), LINEAR, LINEAR)
        first, *others = self.vaes_
        first.history_ = self.history_
        for vae in others:
            vae.net_.linear = first.net_.linear


def _part(
    state: dict[str, torch.Tensor], prefix: str, instead: str = ""
) -> dict[str, torch.Tensor]:
    """The tensors whose names begin so, under names that begin otherwise."""
    return {
        instead + key.removeprefix(prefix): tensor
        for key, tensor in state.items()
        if key.startswith(prefix)
    }
