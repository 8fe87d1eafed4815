"""Neighbors: the items that are most similar to each of some items."""

from collections.abc import Callable
from typing import TypeAlias

import numpy as np
import scipy.sparse as sp
import torch

from recvae.data.features import unit_rows
from recvae.data.matrices import of_ones
from recvae.ranking.top_k import top_k

Similarity: TypeAlias = Callable[[np.ndarray], torch.Tensor]
"""Columns int [n] -> their similarity to every item, float32 [n, items], fresh memory."""

EPSILON = 1e-12
"""The least length that a vector is divided by."""


def nearest(
    similarity: Similarity, columns: np.ndarray, n_items: int, k: int
) -> tuple[np.ndarray, np.ndarray]:
    """Find the k items that are most similar to each of some items [n], without the item itself.

    Returns:
        Columns int64 [n, k] and similarities float32 [n, k], best first; -1 and -inf where there
        are fewer than k.

    Raises:
        OptionError: k is out of range.
    """
    alone = of_ones(columns, np.ones_like(columns), n_items)
    return top_k(lambda block, _: similarity(block.indices), alone, k)


def nearest_rows(
    vectors: "np.ndarray | sp.csr_matrix", others: "np.ndarray | sp.csr_matrix", k: int
) -> tuple[np.ndarray, np.ndarray]:
    """Find, for each row of [n, d], the k rows of [m, d] whose cosine is the highest.

    Returns:
        Rows int64 [n, k] of the others and cosines float32 [n, k], best first.

    Raises:
        OptionError: k is out of range.
    """
    one, other = unit_rows(vectors), unit_rows(others).T

    def similarity(_: sp.csr_matrix, rows: np.ndarray | None) -> torch.Tensor:
        cells = one[rows] @ other
        dense = cells if isinstance(cells, np.ndarray) else cells.toarray()
        return torch.from_numpy(dense).float()

    nothing_seen = sp.csr_matrix((one.shape[0], other.shape[1]), dtype=np.float32)
    return top_k(similarity, nothing_seen, k, rows=np.arange(one.shape[0]))


def cosine(vectors: torch.Tensor) -> Similarity:
    """A similarity: the cosine between the vectors [items, d] of items."""
    norms = vectors.norm(dim=1).clamp(min=EPSILON)

    def similarity(columns: np.ndarray) -> torch.Tensor:
        chosen = torch.from_numpy(columns).to(vectors.device)
        return (vectors[chosen] @ vectors.T).div_(norms).div_(norms[chosen, None])

    return similarity
