"""The base of models that score by an item's neighbors: sparse items x items weights."""

from collections import deque
from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp
import torch

from recvae.data.matrices import only, rank_in_rows, rows_of
from recvae.display.progress import progress
from recvae.engine.batch import Batch
from recvae.engine.threads import a_part_each, in_threads
from recvae.models.contract import Ability, Recommender
from recvae.models.contract.arrays import to_csr
from recvae.options.ranges import PositiveFloat, PositiveInt
from recvae.ranking.blocks import user_blocks

ITEMS_AT_ONCE = 512
"""For how many items similarities to all others are computed at once."""


@dataclass(kw_only=True, eq=False)
class NeighborModel(Recommender):
    """Scores are sums over the items of the history: the weight of the item there.

    Attributes:
        n_neighbors: how many neighbors an item has, the nearest ones.
        half_life: see `Model`.
        neighbors_: CSR float32 [items, items], row i is what item i adds to the score of each item.
    """

    abilities = frozenset({Ability.EXPORT, Ability.SPARSE_SCORES})

    n_neighbors: PositiveInt
    half_life: PositiveFloat | None = None

    def score(self, histories: sp.csr_matrix, rows: np.ndarray | None = None) -> torch.Tensor:
        """Sum the weights of the history's items."""
        scores = np.empty(histories.shape, np.float32)

        def fill(users: slice) -> None:
            self.sparse_scores(histories[users]).toarray(out=scores[users])

        deque(in_threads(fill, a_part_each(len(scores))), maxlen=0)
        return torch.from_numpy(scores)

    def sparse_scores(self, histories: sp.csr_matrix) -> sp.csr_matrix:
        return self.as_read(histories).astype(np.float32, copy=False) @ self.neighbors_

    def forward(self, batch: Batch) -> torch.Tensor:
        """The scores [users, items] of a batch, by operators that an ONNX graph has."""
        columns, weights = self._padded()
        added = batch.values[..., None] * weights[batch.columns]
        places = batch.rows[..., None].expand_as(added), columns[batch.columns]
        scores = added.new_zeros(batch.offsets.shape[0] - 1, len(columns))
        return scores.index_put_(places, added, accumulate=True)

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
        """Columns and weights of the neighbors, [items, most] each, 0 beyond an item's own."""
        rows, there = self.neighbors_, places(self.neighbors_)
        columns, weights = np.zeros(there.shape, np.int64), np.zeros(there.shape, np.float32)
        columns[there], weights[there] = rows.indices, rows.data
        return torch.from_numpy(columns), torch.from_numpy(weights)


def of_neighbors(rows: sp.csr_matrix) -> torch.Tensor:
    """Sparse similarities [n, items] as dense ones, -inf for items that are no neighbors."""
    similarity = torch.from_numpy(rows.toarray())
    return similarity.masked_fill_(similarity == 0, -torch.inf)


def places(rows: sp.csr_matrix) -> np.ndarray:
    """bool [n, most]: True in as many first places of each row as it has entries."""
    sizes = np.diff(rows.indptr)
    return np.arange(sizes.max(initial=0)) < sizes[:, None]


def nearest_items(vectors: sp.csr_matrix, k: int) -> sp.csr_matrix:
    """Find, for each column of a CSR matrix [n, items], the k others of the highest products.

    Returns:
        CSR [items, items]: the products of item i with its neighbors are in row i, if above 0.
    """
    n_items = vectors.shape[1]
    items = vectors.T.tocsr()

    def nearest(start: int) -> sp.csr_matrix:
        block = items[start : start + ITEMS_AT_ONCE]
        own = np.arange(start, start + block.shape[0])
        return largest(above_zero(block @ vectors, own), k)

    starts = range(0, n_items, ITEMS_AT_ONCE)
    found = in_threads(nearest, starts)
    return sp.vstack([*progress(found, "finding neighbors", total=len(starts))], format="csr")


def above_zero(similarities: sp.csr_matrix, own: np.ndarray) -> sp.csr_matrix:
    """The entries of CSR [n, items] above 0 that are not in the column `own` [n] of their row."""
    others = similarities.indices != own[rows_of(similarities)]
    return only(similarities, others & (similarities.data > 0))


def largest(matrix: sp.csr_matrix, k: int) -> sp.csr_matrix:
    """The k largest entries of each row of CSR by their size, of equal ones the first columns."""
    widest = int(np.diff(matrix.indptr).max(initial=1))
    blocks = (matrix[rows] for rows in user_blocks(matrix.shape[0], widest))
    return sp.vstack([_largest(block, k) for block in blocks], format="csr")


def _largest(block: sp.csr_matrix, k: int) -> sp.csr_matrix:
    candidates = _at_least_kth(block, k)
    candidates.sort_indices()
    return only(candidates, rank_in_rows(candidates, -np.abs(candidates.data)) < k)


def _at_least_kth(block: sp.csr_matrix, k: int) -> sp.csr_matrix:
    """The entries whose size is at least the kth largest of their row: few are left to sort."""
    there = places(block)
    if there.shape[1] <= k:
        return block
    sizes = torch.zeros(there.shape)
    sizes[torch.from_numpy(there)] = torch.from_numpy(np.abs(block.data))
    kth = sizes.topk(k, sorted=False).values.amin(dim=1).numpy()
    return only(block, np.abs(block.data) >= kth[rows_of(block)])
