"""GraphAE: a graph convolution as an autoencoder of items."""

from dataclasses import dataclass, replace
from typing import Self

import numpy as np
import scipy.sparse as sp
import torch

from recvae.data.shards import Shards
from recvae.data.splits import Holdout
from recvae.disk.untrusted import csr_of
from recvae.engine.batch import Batch
from recvae.engine.states import of_shape
from recvae.models.contract import Ability, FitContext, Recommender, as_input
from recvae.options.ranges import NonNegativeFloat, NonNegativeInt, PositiveFloat, PositiveInt
from recvae.options.spaces import Float, Int
from recvae.ranking.blocks import block_users, in_blocks

USERS_AT_ONCE = 64
"""How many histories are convolved at once: enough for vector units, few enough for caches."""
SHARE = 10
"""There is at most one eigenvector for so many users, or items: more would be of noise."""
ITERATIONS, DEGREE, SPARE = 4, 4, 32
"""How often a subspace is amplified, by polynomials of which degree; how many vectors it has more
than are asked for."""
LEAST = 1e-2
"""The least eigenvalue that counts as large."""


@dataclass(frozen=True)
class ItemGraph:
    """A = R'R of R = D_u^-p/2 X D_i^-q, for a binary X [users, items], its degrees D and powers.

    With p = 1 and q = 1/2 the eigenvalues are from 0 to 1, else from 0 on. Only the entries of R
    are kept, by user and by item: A has many more.

    Attributes:
        by_user: R [users, items].
        by_item: R' [items, users].
    """

    by_user: Batch
    by_item: Batch

    @classmethod
    def of(cls, histories: sp.csr_matrix, user_power: float, item_power: float) -> Self:
        """The graph of binary CSR [users, items], with p = `user_power` and q = `item_power`."""
        users = _scale(histories.sum(axis=1), user_power / 2)
        items = _scale(histories.sum(axis=0), item_power)
        normalized = users @ histories @ items
        return cls(_as_batch(normalized), _as_batch(normalized.T.tocsr()))

    @property
    def degrees(self) -> torch.Tensor:
        """float32 [items]: how many users have each item, 1 for those that none has."""
        return self.by_item.offsets.diff().clamp(min=1).float()

    def multiply(self, signals: torch.Tensor) -> torch.Tensor:
        """A times dense signals [items, n]."""
        return self.by_item.multiply(self.by_user.multiply(signals))

    def smoothest(self, rank: int, generator: torch.Generator) -> tuple[torch.Tensor, torch.Tensor]:
        """About the largest eigenvalues of A [rank], and their vectors [items, rank].

        A random subspace is multiplied by polynomials in A that grow fastest beyond the smallest
        eigenvalue that was found so far (Zhou & Saad, "A Chebyshev-Davidson Algorithm for Large
        Symmetric Eigenproblems", SIAM J. Matrix Anal. Appl. 2007).
        """
        n_items, least = len(self.by_item), LEAST
        basis = torch.randn(n_items, min(rank + SPARE, n_items), generator=generator)
        for _ in range(ITERATIONS):
            basis, _ = torch.linalg.qr(self._amplified(basis, least))
            image = self.by_user.multiply(basis)
            values, rotation = torch.linalg.eigh(image.T @ image)
            least = max(values[0].item(), LEAST)
        return values[-rank:], basis @ rotation[:, -rank:]

    def _amplified(self, basis: torch.Tensor, least: float) -> torch.Tensor:
        """Chebyshev's polynomial in A: below 1 up to the eigenvalue `least`, growing beyond it."""
        before, now = basis, self._stretched(basis, least)
        for _ in range(DEGREE - 1):
            before, now = now, 2 * self._stretched(now, least) - before
        return now

    def _stretched(self, basis: torch.Tensor, least: float) -> torch.Tensor:
        """2A / least - I times a basis: eigenvalues from 0 to `least` go from -1 to 1."""
        return 2 / least * self.multiply(basis) - basis


@dataclass(kw_only=True, eq=False)
class GraphAE(Recommender):
    """A graph convolution as an autoencoder, in closed form (after Shen et al., "How Powerful is
    Graph Convolution for Recommendation?", CIKM 2021, and Kim et al., "Graph Filtering for
    Collaborative Filtering via Chebyshev Polynomials", SIGIR 2025).

    A history is a signal on the graph of items, whose matrix is A = R'R (see `ItemGraph`), divided
    by its largest eigenvalue. The filter multiplies the part of the signal that belongs to an
    eigenvalue x by x, as A itself does, but for the `rank` largest: there by level + slope x. So
    the tastes that many users share count about alike, and what is left counts by how common it
    is. No items x items matrix is made, and the graph may have any number of items.

    The model keeps the training users' histories, as rows without ids in a random order. It reads
    which items a user has, not their weights.

    Attributes:
        rank: how many eigenvalues are large, at most a tenth of the number of users or items.
        level: the filter at a large eigenvalue is level + slope times the eigenvalue.
        slope: see `level`.
        user_power: a user of n items connects them by 1 / n^user_power (the papers: 1).
        degree_power: two items are connected by the sum of that over their common users, divided
            by this power of the user count of each (the papers: 0.5).
        item_power: an item is divided by this power of its user count on the way in, and multiplied
            by it on the way out.
        seed: decides the start of the search for eigenvectors.
        half_life: see `Model`.
        graph_: the graph of items.
        values_: float32 [rank], the large eigenvalues, ascending, before the division.
        vectors_: float32 [items, rank], their eigenvectors.
    """

    name = "graph-ae"
    supports_shards = True
    abilities = frozenset({Ability.EXPORT})
    space = {
        "rank": Int(32, 1024, log=True),
        "level": Float(0.1, 0.8),
        "slope": Float(0.0, 1.0),
        "user_power": Float(0.4, 1.0),
        "degree_power": Float(0.2, 0.6),
        "item_power": Float(0.0, 0.6),
    }

    rank: PositiveInt = 512
    level: NonNegativeFloat = 0.35
    slope: NonNegativeFloat = 0.2
    user_power: NonNegativeFloat = 0.7
    degree_power: NonNegativeFloat = 0.4
    item_power: NonNegativeFloat = 0.25
    seed: NonNegativeInt = 0
    half_life: PositiveFloat | None = None

    def learn(self, train: sp.csr_matrix, validation: Holdout | None, context: FitContext) -> None:
        random = torch.Generator().manual_seed(self.seed)
        order = torch.randperm(train.shape[0], generator=random).numpy()
        self.graph_ = self._graph(as_input(train)[order])
        self.values_, self.vectors_ = self.graph_.smoothest(self._rank, random)

    def learn_shards(self, train: Shards, validation: Holdout | None, context: FitContext) -> None:
        """Learn from all shards; the model keeps their entries, which must fit into memory."""
        rows = sp.vstack([as_input(shard.matrix) for shard in train], format="csr")
        self.learn(rows, validation, context)

    def score(self, histories: sp.csr_matrix, rows: np.ndarray | None = None) -> torch.Tensor:
        """Convolve the histories, some at a time: each takes a float for every training user."""
        scores = torch.empty(histories.shape, dtype=torch.float32)
        size = min(USERS_AT_ONCE, block_users(max(self.n_users_, len(self.items_))))
        for number, block in enumerate(in_blocks(self.as_read(histories), size)):
            users = slice(number * size, (number + 1) * size)
            scores[users] = self.forward(Batch.of(block, scores.device))
        return scores

    def forward(self, batch: Batch) -> torch.Tensor:
        """The scores [users, items] of a batch."""
        scale = self.graph_.degrees**self.item_power
        scaled = replace(batch, values=batch.values / scale[batch.columns])
        signals = scale.new_zeros(len(scale), batch.offsets.shape[0] - 1).index_put_(
            (scaled.columns, scaled.rows), scaled.values, accumulate=True
        )
        # A has x already at a large eigenvalue x: what is missing to the filter is added.
        largest = self.values_[-1]
        missing = self.level + (self.slope - 1) * self.values_ / largest
        tastes = scaled.multiply(self.vectors_) * missing
        return (self.graph_.multiply(signals / largest).T + tastes @ self.vectors_.T) * scale

    def similarities(self, columns: np.ndarray) -> torch.Tensor:
        """The filter's weight between items; popular ones are not preferred."""
        alone = sp.eye(len(self.items_), format="csr", dtype=np.float32)[columns]
        return self.score(alone) / self.graph_.degrees**self.item_power

    def _graph(self, histories: sp.csr_matrix) -> ItemGraph:
        return ItemGraph.of(histories, self.user_power, self.degree_power)

    @property
    def _rank(self) -> int:
        """How many eigenvectors there are."""
        return max(1, min(self.rank, self.n_users_ // SHARE, len(self.items_) // SHARE))

    def state(self) -> dict[str, torch.Tensor]:
        rows = self.graph_.by_user
        return {
            "offsets": rows.offsets,
            "columns": rows.columns.to(torch.int32),
            "values": self.values_,
            "vectors": self.vectors_,
        }

    def restore(self, state: dict[str, torch.Tensor]) -> None:
        n_items = len(self.items_)
        offsets, columns = state["offsets"].numpy(), state["columns"].numpy()
        ones = np.ones(len(columns), dtype=np.float32)
        self.graph_ = self._graph(csr_of(ones, columns, offsets, (self.n_users_, n_items)))
        self.values_ = of_shape(state["values"], self._rank)
        self.vectors_ = of_shape(state["vectors"], n_items, self._rank)


def _scale(degrees: np.ndarray, power: float) -> sp.csr_matrix:
    """D^-power of degrees [n, 1] or [1, n], where 0 counts as 1."""
    scale = np.maximum(np.asarray(degrees).ravel(), 1).astype(np.float32) ** -power
    return sp.diags(scale, format="csr")


def _as_batch(matrix: sp.csr_matrix) -> Batch:
    batch = Batch.of(matrix, torch.device("cpu"))
    _ = batch.rows  # kept from here on: an ONNX graph can't compute it
    return batch
