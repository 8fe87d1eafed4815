"""SparseEDLAE: EDLAE in which an item is predicted by its nearest neighbors alone."""

from dataclasses import dataclass

import scipy.sparse as sp
import torch

from recvae.data.splits import Holdout
from recvae.models.contract.fitting import FitContext
from recvae.models.contract.inputs import as_input
from recvae.models.edlae import EDLAE
from recvae.models.families.local_weights import local_weights
from recvae.models.families.neighbors import NeighborModel, largest, nearest_items
from recvae.options.ranges import DropRate, Fraction, PositiveFloat, PositiveInt
from recvae.options.spaces import Int


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
