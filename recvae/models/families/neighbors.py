"""The base of models that score by an item's neighbors: sparse items x items weights."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import scipy.sparse as sp
import torch

from recvae.engine.batch import Batch
from recvae.models.contract.abilities import Ability
from recvae.models.contract.arrays import to_csr
from recvae.models.contract.recommender import Recommender
from recvae.options.ranges import PositiveFloat, PositiveInt
from recvae.ranking.neighbors import Similarity, nearest


@dataclass(kw_only=True, eq=False)
class NeighborModel(Recommender):
    """Scores are sums over the items of the history: the weight of the item there.

    Attributes:
        n_neighbors: how many neighbors are kept for each item, the nearest ones.
        half_life: see `Model`.
        neighbors_: CSR float32 [items, items], row i is what item i adds to the score of each item.
    """

    abilities: ClassVar[frozenset[Ability]] = frozenset({Ability.EXPORT})

    n_neighbors: PositiveInt
    half_life: PositiveFloat | None = None

    def score(self, histories: sp.csr_matrix, rows: np.ndarray | None = None) -> torch.Tensor:
        """Sum the weights of the history's items."""
        return torch.from_numpy((self.as_read(histories) @ self.neighbors_).toarray())

    def forward(self, batch: Batch) -> torch.Tensor:
        """The scores [users, items] of a batch, by operators that an ONNX graph has."""
        columns, weights = self._padded()
        added = batch.values[..., None] * weights[batch.columns]
        places = batch.rows[..., None].expand_as(added), columns[batch.columns]
        scores = added.new_zeros(batch.offsets.shape[0] - 1, len(columns))
        return scores.index_put_(places, added, accumulate=True)

    def keep_nearest(self, similarity: Similarity, n_items: int) -> None:
        """Set the neighbors of each item to those of the highest similarity above 0."""
        k = min(self.n_neighbors, n_items)
        every, label = np.arange(n_items), "finding neighbors"
        ids, similarities = nearest(similarity, every, n_items, k, label=label)
        kept = similarities > 0
        offsets = np.concatenate([[0], np.cumsum(kept.sum(axis=1))])
        shape = (n_items, n_items)
        self.neighbors_ = sp.csr_matrix((similarities[kept], ids[kept], offsets), shape=shape)
        self.neighbors_.sort_indices()

    @property
    def n_parameters(self) -> int:
        """How many weights are kept."""
        self.require_fitted()
        return int(self.neighbors_.nnz)

    def similarities(self, columns: np.ndarray) -> torch.Tensor:
        return of_neighbors(self.neighbors_[columns])

    def state(self) -> dict[str, torch.Tensor]:
        parts = ("data", "indices", "indptr")
        return {part: torch.from_numpy(getattr(self.neighbors_, part)) for part in parts}

    def restore(self, state: dict[str, torch.Tensor]) -> None:
        self.neighbors_ = to_csr(state, (len(self.items_), len(self.items_)))

    def _padded(self) -> tuple[torch.Tensor, torch.Tensor]:
        """Columns and weights of the neighbors, [items, the most that one has] each, 0 beyond."""
        rows, sizes = self.neighbors_, np.diff(self.neighbors_.indptr)
        there = np.arange(sizes.max(initial=0)) < sizes[:, None]
        columns, weights = np.zeros(there.shape, np.int64), np.zeros(there.shape, np.float32)
        columns[there], weights[there] = rows.indices, rows.data
        return torch.from_numpy(columns), torch.from_numpy(weights)


def of_neighbors(rows: sp.csr_matrix) -> torch.Tensor:
    """Sparse similarities [n, items] as dense ones, -inf for items that are no neighbors."""
    similarity = torch.from_numpy(rows.toarray())
    return similarity.masked_fill_(similarity == 0, -torch.inf)
