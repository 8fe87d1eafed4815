"""Transitions: recommends the items that others turned to after the items of the history."""

from dataclasses import dataclass
from math import ceil

import numpy as np
import scipy.sparse as sp

from recvae.data.matrices import rows_of
from recvae.data.splits import Holdout
from recvae.models.contract import Ability, FitContext
from recvae.models.families.neighbors import NeighborModel, above_zero, largest
from recvae.options.ranges import Fraction, PositiveFloat, PositiveInt
from recvae.options.spaces import Float, Int

HALF_LIVES = 5
"""How many half-lives apart two items of a user can be: then a pair weighs 1/32."""


@dataclass(kw_only=True, eq=False)
class Transitions(NeighborModel):
    """What comes next: weighted sequential rules (after Ludewig & Jannach, "Evaluation of
    Session-based Recommendation Algorithms", UMUAI 2018).

    Item i leads to item j as often as users had j after i, where a pair with n items between them
    counts 2^(-n / half_life). This is divided by (n_i n_j)^power for the n_i users of i, and n_j of
    j. A score is the sum over the history, whose items count less the longer they are ago. It needs
    timestamps; without an order, items that a user had together lead to each other.

    Attributes:
        half_life: how many later interactions halve the weight of one, in training and in a
            history.
        power: how much the popularity of both items counts against a pair.
        n_neighbors: how many items each item leads to, at most.
        neighbors_: CSR float32 [items, items], row i is what item i adds to the score of each item.
    """

    name = "transitions"
    abilities = frozenset({Ability.SPARSE_SCORES})
    space = {
        "half_life": Float(1.0, 20.0, log=True),
        "power": Float(0.0, 0.6),
        "n_neighbors": Int(50, 1000, log=True),
    }

    half_life: PositiveFloat = 5.0
    power: Fraction = 0.25
    n_neighbors: PositiveInt = 500

    def learn(self, train: sp.csr_matrix, validation: Holdout | None, context: FitContext) -> None:
        scale = sp.diags(np.maximum(train.getnnz(axis=0), 1.0) ** -self.power, dtype=np.float32)
        pairs = (scale @ self._pairs(train) @ scale).tocsr()
        self.neighbors_ = largest(above_zero(pairs, np.arange(train.shape[1])), self.n_neighbors)

    def _pairs(self, train: sp.csr_matrix) -> sp.csr_matrix:
        """How often users had one item before another, weighed by distance: [items, items]."""
        rows = rows_of(train)
        order = np.lexsort((train.data, rows))
        items, places = train.indices[order], train.data[order]
        pairs = sp.csr_array((train.shape[1], train.shape[1]), dtype=np.float32)
        # `first` has the places of the entries whose user has another one `distance` places later:
        # the earlier leads to the later. Where both have one time, each leads to the other.
        for distance in range(1, min(ceil(HALF_LIVES * self.half_life), len(items) - 1) + 1):
            first = np.flatnonzero(rows[distance:] == rows[:-distance])
            tied = first[places[first] == places[first + distance]]
            sources = np.concatenate([first, tied + distance])
            targets = np.concatenate([first + distance, tied])
            weights = np.full(len(sources), 2 ** ((1 - distance) / self.half_life), np.float32)
            entries = weights, (items[sources], items[targets])
            pairs = pairs + sp.coo_array(entries, shape=pairs.shape).tocsr()
        return sp.csr_matrix(pairs)
