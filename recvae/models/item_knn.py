"""ItemKNN: recommends items that are similar to the items of the history."""

from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
import scipy.sparse as sp
import torch

from recvae.data.splits import Holdout
from recvae.models.contract import FitContext, Input, as_input
from recvae.models.families.neighbors import NeighborModel, nearest_items, of_neighbors
from recvae.options.ranges import PositiveInt
from recvae.options.spaces import Categorical, Int

SimilarityName: TypeAlias = Literal["cosine", "tfidf", "bm25"]

SATURATION, LENGTH_WEIGHT = 1.2, 0.75
"""BM25's k1 and b."""


@dataclass(kw_only=True, eq=False)
class ItemKNN(NeighborModel):
    """Nearest neighbors among items (Deshpande & Karypis, "Item-Based Top-N Recommendation
    Algorithms", TOIS 2004).

    An item's score is the sum over its neighbors in the history: similarity times weight. Options:
    see also `NeighborModel`.

    Attributes:
        similarity: how two items' columns are compared. "cosine"; "tfidf": the cosine, where users
            with many items count less; "bm25": the inner product, where weights are saturated and
            popular items count less too.
        input: "binary" sets every weight to 1; "counts" takes them as they are.
    """

    name = "item-knn"
    space = {
        "similarity": Categorical(("cosine", "tfidf", "bm25")),
        "n_neighbors": Int(10, 500, log=True),
    }

    similarity: SimilarityName = "tfidf"
    n_neighbors: PositiveInt = 100
    input: Input = "binary"

    def learn(self, train: sp.csr_matrix, validation: Holdout | None, context: FitContext) -> None:
        weighed = _weighed(as_input(train, self.input), self.similarity)
        nearest = nearest_items(weighed, self.n_neighbors)
        self.neighbors_ = nearest.T.tocsr()  # from the neighbors to the item

    def similarities(self, columns: np.ndarray) -> torch.Tensor:
        return of_neighbors(self.neighbors_[:, columns].T.tocsr())


def _weighed(matrix: sp.csr_matrix, similarity: SimilarityName) -> sp.csr_matrix:
    """A matrix of new weights, such that inner products of its columns are the similarities."""
    if similarity == "cosine":
        return _normalized(matrix)
    if similarity == "tfidf":
        return _normalized(_weighed_by_rarity(matrix.sqrt()))
    return _weighed_by_rarity(_saturated(matrix))


def _weighed_by_rarity(matrix: sp.csr_matrix) -> sp.csr_matrix:
    """Weigh each user by log(1 + n_items / number of the user's items)."""
    n_items_of = np.maximum(np.diff(matrix.indptr), 1)
    rarity = np.log1p(matrix.shape[1] / n_items_of).astype(np.float32)
    return sp.diags(rarity, format="csr") @ matrix


def _saturated(matrix: sp.csr_matrix) -> sp.csr_matrix:
    """BM25's weights: they grow less than in proportion, and less for popular items."""
    totals = np.asarray(matrix.sum(axis=0)).ravel()
    norm = 1 - LENGTH_WEIGHT + LENGTH_WEIGHT * totals / totals.mean()
    saturated = matrix.copy()
    saturated.data *= (SATURATION + 1) / (SATURATION * norm[matrix.indices] + matrix.data)
    return saturated


def _normalized(matrix: sp.csr_matrix) -> sp.csr_matrix:
    """Scale each column to length 1; an empty column stays empty."""
    norms = np.sqrt(np.asarray(matrix.power(2).sum(axis=0)).ravel())
    return matrix @ sp.diags(1 / np.where(norms > 0, norms, 1), format="csr", dtype=np.float32)
