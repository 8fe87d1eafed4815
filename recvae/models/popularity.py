"""Popularity: the same list for everyone."""

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp
import torch

from recvae.data.shards import CsrOrShards
from recvae.data.splits import Holdout
from recvae.models.contract import FitContext, Recommender


@dataclass(kw_only=True, eq=False)
class Popularity(Recommender):
    """Recommend the items that most training users have: the baseline for every other model.

    It has no similar items: `similar_items` raises OptionError.
    """

    name = "popularity"
    supports_shards = True

    def score(self, histories: sp.csr_matrix, rows: np.ndarray | None = None) -> torch.Tensor:
        """How many training users have each item."""
        counts = torch.from_numpy(self.item_counts_.astype(np.float32))
        return counts.repeat(histories.shape[0], 1)

    def learn(self, train: CsrOrShards, validation: Holdout | None, context: FitContext) -> None:
        """Nothing to do: every model counts its items."""

    def state(self) -> dict[str, torch.Tensor]:
        return {}

    def restore(self, state: dict[str, torch.Tensor]) -> None:
        """Nothing to do: every model's item counts are saved."""
