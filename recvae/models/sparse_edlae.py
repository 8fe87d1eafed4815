"""SparseEDLAE: EDLAE with the largest weights of each item alone."""

from dataclasses import dataclass
from typing import ClassVar

import scipy.sparse as sp

from recvae.data.splits import Holdout
from recvae.models.contract.fitting import FitContext
from recvae.models.contract.recommender import Recommender
from recvae.models.edlae import EDLAE
from recvae.models.families.neighbors import NeighborModel
from recvae.options.ranges import PositiveInt
from recvae.options.spaces import Int, Space


@dataclass(kw_only=True, eq=False)
class SparseEDLAE(NeighborModel, EDLAE):
    """EDLAE, whose weights are cut to the largest of each item once they are solved for.

    Fitting takes the memory of EDLAE. Saving and scoring take little, whatever the catalogue, for
    nearly the same lists. Options: see `EDLAE` and `NeighborModel`.
    """

    name: ClassVar[str] = "sparse-edlae"
    space: ClassVar[Space] = {**EDLAE.space, "n_neighbors": Int(50, 1000, log=True)}

    n_neighbors: PositiveInt = 200

    def learn(self, train: sp.csr_matrix, validation: Holdout | None, context: FitContext) -> None:
        super().learn(train, validation, context)
        weights = self.weights_
        self.keep_nearest(lambda columns: weights[columns].abs(), len(weights))
        rows, columns = self.neighbors_.nonzero()
        self.neighbors_.data = weights[rows, columns].numpy()
        del self.weights_

    relearn = Recommender.relearn  # anew: nothing is left of the inverse
