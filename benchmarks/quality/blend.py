"""The blend that an ensemble has to beat: scores of RecVAE and EDLAE, standardized and mixed."""

from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np
import scipy.sparse as sp
import torch

import recvae as rv
from recvae.models import Recommender
from recvae.models.contract.fitting import FitContext


@dataclass(kw_only=True, eq=False)
class Blend(Recommender):
    """0.8 of RecVAE's z-scores and 0.2 of EDLAE's, each over the items of a user.

    Attributes:
        weight: of RecVAE's.
        neural: options of RecVAE.
        linear: options of EDLAE.
    """

    name: ClassVar[str] = "blend"

    weight: float = 0.8
    neural: dict[str, Any] = field(default_factory=dict)
    linear: dict[str, Any] = field(default_factory=dict)
    seed: int = 0

    def score(self, histories: sp.csr_matrix, rows: np.ndarray | None = None) -> torch.Tensor:
        """Mix the z-scores of both."""
        neural, linear = (_standardized(model.score(histories).cpu()) for model in self.models_)
        return self.weight * neural + (1 - self.weight) * linear

    def learn(
        self, train: sp.csr_matrix, validation: rv.Holdout | None, context: FitContext
    ) -> None:
        """Fit both."""
        neural = rv.RecVAE(seed=self.seed, **self.neural).fit(
            train, validation, on_epoch=context.on_epoch
        )
        linear = rv.EDLAE(**self.linear).fit(train)
        self.models_ = (neural, linear)

    def state(self) -> dict[str, torch.Tensor]:
        """What both have learnt."""
        return {
            f"{model.name}.{key}": tensor
            for model in self.models_
            for key, tensor in model.state().items()
        }

    def restore(self, state: dict[str, torch.Tensor]) -> None:
        """Never asked for."""
        raise NotImplementedError("a blend is measured, not saved.")


def _standardized(scores: torch.Tensor) -> torch.Tensor:
    """Z-scores of each row."""
    return (scores - scores.mean(dim=1, keepdim=True)) / scores.std(dim=1, keepdim=True)
