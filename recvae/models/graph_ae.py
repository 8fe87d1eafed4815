"""GraphAE: a graph convolution as an autoencoder of items."""

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
import scipy.sparse as sp
import torch
from numpy.polynomial import Chebyshev

from recvae.data.shards import Shards
from recvae.data.splits import Holdout
from recvae.disk.untrusted import csr_of
from recvae.engine.batch import Batch
from recvae.engine.states import of_shape
from recvae.models.contract.abilities import Ability
from recvae.models.contract.fitting import FitContext
from recvae.models.contract.inputs import as_input
from recvae.models.contract.recommender import Recommender
from recvae.models.families.graph import ItemGraph
from recvae.options.ranges import NonNegativeFloat, NonNegativeInt, PositiveFloat, PositiveInt
from recvae.options.spaces import Float, Int, Space
from recvae.ranking.blocks import block_users, in_blocks

USERS_AT_ONCE = 64
"""How many histories are convolved at once: wide enough for vector units, small enough for caches.
"""


@dataclass(kw_only=True, eq=False)
class GraphAE(Recommender):
    """ChebyCF (Kim et al., "Graph Filtering for Collaborative Filtering via Chebyshev Polynomials",
    SIGIR 2025).

    A history is a signal on the graph of items, which is A = R'R (see `ItemGraph`). It is convolved
    with a filter: the part of it that belongs to an eigenvalue x of A is multiplied by g(2x - 1),

        g(y) = 1/2 + sign(y) |y|^flatness / 2,

    which a polynomial in A stands for; and the smoothest part is added once more. Fitting has a
    closed form. No items x items matrix is made, so that it takes any catalogue.

    The model keeps the training users' histories, as rows without ids in a random order. It reads
    which items a user has, not their weights.

    Attributes:
        degree: degree of the polynomial; each costs a product with R and one with R'.
        flatness: 1 is a linear filter, above 1 one that is flat for medium eigenvalues.
        rank: the smoothest part is what lies in the span of so many eigenvectors of A.
        low_pass: how much of it is added.
        item_power: the input is divided by this power of the item's user count, the output
            multiplied.
        seed: decides the start of the search for eigenvectors.
        graph_: the graph of items.
        vectors_: float32 [items, rank], eigenvectors of A.
    """

    name: ClassVar[str] = "graph-ae"
    supports_shards: ClassVar[bool] = True
    abilities: ClassVar[frozenset[Ability]] = frozenset({Ability.EXPORT})
    space: ClassVar[Space] = {
        "flatness": Float(1.0, 2.5),
        "rank": Int(32, 1024, log=True),
        "low_pass": Float(0.0, 0.5),
        "item_power": Float(0.0, 0.7),
    }

    degree: PositiveInt = 3
    flatness: PositiveFloat = 1.5
    rank: PositiveInt = 512
    low_pass: NonNegativeFloat = 0.2
    item_power: NonNegativeFloat = 0.4
    seed: NonNegativeInt = 0

    def learn(self, train: sp.csr_matrix, validation: Holdout | None, context: FitContext) -> None:
        random = torch.Generator().manual_seed(self.seed)
        order = torch.randperm(train.shape[0], generator=random).numpy()
        self.graph_ = ItemGraph.of(as_input(train)[order])
        self.vectors_ = self.graph_.eigenvectors(self.rank, random)

    def learn_shards(self, train: Shards, validation: Holdout | None, context: FitContext) -> None:
        """Learn from all shards; the model keeps their entries, which must fit into memory."""
        rows = sp.vstack([as_input(shard.matrix) for shard in train], format="csr")
        self.learn(rows, validation, context)

    def score(self, histories: sp.csr_matrix, rows: np.ndarray | None = None) -> torch.Tensor:
        """Convolve the histories, some at a time."""
        scores = torch.empty(histories.shape)
        size = min(USERS_AT_ONCE, block_users(max(self.n_users_, len(self.items_))))
        for number, block in enumerate(in_blocks(as_input(histories), size)):
            users = slice(number * size, (number + 1) * size)
            scores[users] = self.forward(Batch.of(block, scores.device))
        return scores

    def forward(self, batch: Batch) -> torch.Tensor:
        """The scores [users, items] of a batch."""
        scale = self.graph_.degrees**self.item_power
        scaled = replace(batch, values=batch.values / scale[batch.columns])
        users = batch.offsets.shape[0] - 1
        signals = scale.new_zeros(len(scale), users).index_put_(
            (scaled.columns, scaled.rows), scaled.values, accumulate=True
        )
        smoothest = self.vectors_ @ scaled.multiply(self.vectors_).T
        return (scale[:, None] * (self._filtered(signals) + self.low_pass * smoothest)).T

    def _filtered(self, signals: torch.Tensor) -> torch.Tensor:
        """The polynomial in A of dense signals [items, n], by Chebyshev's recurrence."""
        constant, linear, *others = self._coefficients
        before, now = signals, self._shifted(signals)
        filtered = constant * before + linear * now
        for coefficient in others:
            before, now = now, 2 * self._shifted(now) - before
            filtered += coefficient * now
        return filtered

    def _shifted(self, signals: torch.Tensor) -> torch.Tensor:
        """2A - I, whose eigenvalues are from -1 to 1, times dense signals [items, n]."""
        return 2 * self.graph_.multiply(signals) - signals

    @property
    def _coefficients(self) -> list[float]:
        """Those of g in Chebyshev's polynomials, interpolated at their nodes."""
        return Chebyshev.interpolate(self._response, self.degree).coef.tolist()

    def _response(self, y: np.ndarray) -> np.ndarray:
        """The filter g [n] at points [n] from -1 to 1."""
        return 0.5 + np.sign(y) * np.abs(y) ** self.flatness / 2

    def similarities(self, columns: np.ndarray) -> torch.Tensor:
        """The filter's weight between the items; popular ones are not preferred."""
        alone = sp.eye(len(self.items_), format="csr", dtype=np.float32)[columns]
        return self.score(alone) / self.graph_.degrees**self.item_power

    def state(self) -> dict[str, torch.Tensor]:
        rows = self.graph_.by_user
        return {
            "offsets": rows.offsets,
            "columns": rows.columns.to(torch.int32),
            "vectors": self.vectors_,
        }

    def restore(self, state: dict[str, torch.Tensor]) -> None:
        n_items = len(self.items_)
        offsets, columns = state["offsets"].numpy(), state["columns"].numpy()
        ones = np.ones(len(columns), dtype=np.float32)
        self.graph_ = ItemGraph.of(csr_of(ones, columns, offsets, (self.n_users_, n_items)))
        self.vectors_ = of_shape(state["vectors"], n_items, min(self.rank, n_items))
