"""SparseEDLAE: EDLAE in which an item is predicted by its nearest neighbors alone."""

from collections import deque
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import scipy.sparse as sp
import torch

from recvae.data.matrices import rows_of, sized, with_weights
from recvae.data.splits import Holdout
from recvae.display.progress import progress
from recvae.engine.threads import in_threads
from recvae.models.contract import FitContext, as_input
from recvae.models.edlae import EDLAE
from recvae.models.families.linear_algebra import require_definite
from recvae.models.families.neighbors import NeighborModel, largest, nearest_items, places
from recvae.options.ranges import DropRate, Fraction, PositiveFloat, PositiveInt
from recvae.options.spaces import Int

ENTRIES, CELLS = 2**21, 2**24
"""Items are solved for in batches. The columns of a batch's neighbors have about ENTRIES entries; a
batch of n items has at most CELLS cells, n times the users or the squared number of neighbors."""


@dataclass(kw_only=True, eq=False)
class SparseEDLAE(NeighborModel):
    """EDLAE for any number of items, each predicted by its neighbors (after Steck, "Markov Random
    Fields for Collaborative Filtering", NeurIPS 2019).

    The neighbors of an item are those of the highest cosine, where each user counts with EDLAE's
    weight and the squared length of an item is larger by its penalty. Without an items x items
    matrix, fitting and scoring take little time and memory on long tails, for lists like EDLAE's.
    Options: see `EDLAE` and `NeighborModel`.

    Attributes:
        n_weights: how many of an item's weights for others are kept, the largest ones.
    """

    name = "sparse-edlae"
    space = {**EDLAE.space, "n_neighbors": Int(50, 800, log=True)}

    n_neighbors: PositiveInt = 400
    n_weights: PositiveInt = 100
    dropout: DropRate = EDLAE.dropout
    regularization: PositiveFloat = EDLAE.regularization
    user_power: Fraction = EDLAE.user_power
    item_power: Fraction = EDLAE.item_power

    def learn(self, train: sp.csr_matrix, validation: Holdout | None, context: FitContext) -> None:
        linear = EDLAE(
            dropout=self.dropout,
            regularization=self.regularization,
            user_power=self.user_power,
            item_power=self.item_power,
        )
        weighed = linear.weighed(as_input(train))
        counts = torch.from_numpy(weighed.power(2).sum(axis=0).A1)
        penalty = linear.penalty(counts)
        lengths = (counts + penalty).sqrt().numpy()
        unit = (weighed @ sp.diags(1 / lengths)).tocsr()
        cosines = nearest_items(unit, self.n_neighbors)
        scales = sp.diags(linear.item_scales(train.getnnz(axis=0)).numpy())
        weights = local_weights(weighed, cosines, penalty.numpy()) @ scales
        self.neighbors_ = largest(weights.tocsr(), self.n_weights)


def local_weights(
    histories: sp.csr_matrix, neighbors: sp.csr_matrix, penalty: np.ndarray
) -> sp.csr_matrix:
    """Weights B of least |X - XB|^2 + tr(B' Lambda B), where B_ij = 0 unless i is a neighbor of j.

    No items x items matrix is made: the time grows with the items, not with their third power.
    Each column is a ridge regression on few items (as in Ning & Karypis, "SLIM", ICDM 2011, and
    Steck, "Markov Random Fields for Collaborative Filtering", NeurIPS 2019, who lets several items
    have one set of neighbors).

    Args:
        histories: X, CSR float32 [users, items].
        neighbors: CSR [items, items], the neighbors of item j in row j, of which it is none.
        penalty: float32 [items], the diagonal of Lambda.

    Returns:
        B, CSR float32 [items, items].

    Raises:
        TrainingError: the penalty is too small to solve for it.
    """
    # A last item that nobody has, and whose weight is 0, fills up where neighbors are fewer.
    n_users, n_items = histories.shape
    items = sized(histories.T.tocsr(), (n_items + 1, n_users))
    penalties = torch.from_numpy(np.append(penalty, 1).astype(np.float32))
    sizes = np.diff(items.indptr)[neighbors.indices]
    entries = with_weights(neighbors, sizes)
    weights = np.empty(neighbors.nnz, np.float32)
    widest = 1 + int(np.diff(neighbors.indptr).max(initial=0))
    most = max(1, CELLS // max(n_users, widest**2))
    batches = _batches(entries.sum(axis=1).A1, most)

    def solve(own: np.ndarray) -> None:
        near = neighbors[own]
        there = places(near)
        columns = np.full(there.shape, n_items)
        columns[there] = near.indices
        solved = _solved(items, own, columns, penalties)
        weights[neighbors.indptr[own[0]] : neighbors.indptr[own[-1] + 1]] = solved[there]

    solving = in_threads(solve, batches)
    deque(progress(solving, "solving for the weights", total=len(batches)), maxlen=0)
    return with_weights(neighbors, weights).T.tocsr()


def _batches(n_entries: np.ndarray, most: int) -> list[np.ndarray]:
    """Items to be solved for together, given how many entries their neighbors have."""
    ends, starts = np.cumsum(n_entries), [0]
    while (start := starts[-1]) < len(ends):
        reached = int(np.searchsorted(ends, ends[start] + ENTRIES))
        starts.append(min(max(reached, start + 1), start + most, len(ends)))
    return [np.arange(start, stop) for start, stop in pairwise(starts)]


def _solved(
    items: sp.csr_matrix, own: np.ndarray, columns: np.ndarray, penalties: torch.Tensor
) -> np.ndarray:
    """The weights [n, k] of the neighbors `columns` [n, k] for items `own` [n]."""
    products = _products(items, np.column_stack([own, columns]))
    grams, targets = products[:, 1:, 1:], products[:, 1:, :1]
    grams.diagonal(dim1=1, dim2=2).add_(penalties[torch.from_numpy(columns)])
    factors, failed = torch.linalg.cholesky_ex(grams)
    require_definite(failed)
    return torch.cholesky_solve(targets, factors).squeeze(2).numpy()


def _products(items: sp.csr_matrix, groups: np.ndarray) -> torch.Tensor:
    """The inner products [n, k, k] of the items within each group of `groups` [n, k].

    Args:
        items: CSR [items, users].
        groups: int [n, k], of items.
    """
    # One sparse product for all groups: each has the users for itself, in columns of its own, so
    # that the product is 0 between items of different groups.
    (n, k), n_users = groups.shape, items.shape[1]
    rows = items[groups.ravel()]
    group_of = rows_of(rows) // k
    entries = rows.data, rows.indices + group_of * n_users, rows.indptr
    apart = sp.csr_matrix(entries, shape=(n * k, n * n_users))
    products = apart @ apart.T.tocsr()
    firsts = np.repeat(np.arange(0, n * k, k, dtype=np.int32), k)
    products.indices -= np.repeat(firsts, np.diff(products.indptr))
    parts = products.data, products.indices, products.indptr
    return torch.from_numpy(sp.csr_matrix(parts, (n * k, k)).toarray()).view(n, k, k)
