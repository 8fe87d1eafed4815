"""ItemKNN: recommends items that are similar to the items of the history."""

from dataclasses import dataclass
from typing import ClassVar, Literal, TypeAlias

import numpy as np
import scipy.sparse as sp
import torch

from recvae.data.splits import Holdout
from recvae.disk.untrusted import csr_of
from recvae.engine.states import of_shape
from recvae.models.contract.fitting import FitContext
from recvae.models.contract.inputs import Input, as_input
from recvae.models.contract.recommender import Recommender
from recvae.options.ranges import PositiveInt
from recvae.options.spaces import Categorical, Int, Space
from recvae.ranking.neighbors import nearest

Similarity: TypeAlias = Literal["cosine", "tfidf", "bm25"]

SATURATION, LENGTH_WEIGHT = 1.2, 0.75
"""BM25's k1 and b."""


@dataclass(kw_only=True, eq=False)
class ItemKNN(Recommender):
    """Nearest neighbors among items (Deshpande & Karypis, "Item-Based Top-N Recommendation
    Algorithms", TOIS 2004).

    An item's score is the sum over its neighbors in the history: similarity times weight.

    Attributes:
        similarity: how two items' columns are compared. "cosine"; "tfidf": the cosine, where users
            with many items count less; "bm25": the inner product, where weights are saturated and
            popular items count less too.
        n_neighbors: the most similar items that are kept for each item.
        input: "binary" sets every weight to 1; "counts" takes them as they are.
        similarity_: CSR float32 [items, items], each row an item's neighbors.
    """

    name: ClassVar[str] = "item-knn"
    space: ClassVar[Space] = {
        "similarity": Categorical(("cosine", "tfidf", "bm25")),
        "n_neighbors": Int(10, 500, log=True),
    }

    similarity: Similarity = "tfidf"
    n_neighbors: PositiveInt = 100
    input: Input = "binary"

    @property
    def n_parameters(self) -> int:
        """How many similarities are kept."""
        self.require_fitted()
        return int(self.similarity_.nnz)

    def score(self, histories: sp.csr_matrix, rows: np.ndarray | None = None) -> torch.Tensor:
        """Sum the similarities of each item to its neighbors in the history."""
        weights = as_input(histories, self.input)
        return torch.from_numpy((self.similarity_ @ weights.T).T.toarray())

    def learn(self, train: sp.csr_matrix, validation: Holdout | None, context: FitContext) -> None:
        users = _weighed(as_input(train, self.input), self.similarity)
        items, n_items = users.T.tocsr(), users.shape[1]
        ids, similarities = nearest(
            lambda columns: torch.from_numpy((items[columns] @ users).toarray()),
            np.arange(n_items),
            n_items,
            min(self.n_neighbors, n_items),
            label="finding neighbors",
        )
        self.similarity_ = _as_rows(ids, similarities)

    def similarities(self, columns: np.ndarray) -> torch.Tensor:
        similarity = torch.from_numpy(self.similarity_[columns].toarray())
        return similarity.masked_fill_(similarity == 0, -torch.inf)

    def state(self) -> dict[str, torch.Tensor]:
        parts = ("data", "indices", "indptr")
        return {part: torch.from_numpy(getattr(self.similarity_, part)) for part in parts}

    def restore(self, state: dict[str, torch.Tensor]) -> None:
        indices, indptr = state["indices"].numpy(), state["indptr"].numpy()
        data = of_shape(state["data"], len(indices)).numpy()
        self.similarity_ = csr_of(data, indices, indptr, (len(self.items_), len(self.items_)))


def _weighed(matrix: sp.csr_matrix, similarity: Similarity) -> sp.csr_matrix:
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


def _as_rows(ids: np.ndarray, similarities: np.ndarray) -> sp.csr_matrix:
    """Ranked neighbors [items, k] as CSR [items, items], without those of similarity 0."""
    kept = similarities > 0
    indptr = np.concatenate([[0], np.cumsum(kept.sum(axis=1))])
    rows = sp.csr_matrix((similarities[kept], ids[kept], indptr), shape=(len(ids), len(ids)))
    rows.sort_indices()
    return rows
