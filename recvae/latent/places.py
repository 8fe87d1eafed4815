"""Places: the rank of each entry within its row."""

import numpy as np

from recvae.data.interactions import Interactions


def places(values: np.ndarray, data: Interactions) -> np.ndarray:
    """The rank of each entry's value within its row, from 0 for the least: int64 [nnz]."""
    found = np.empty(len(values), dtype=np.int64)
    found[np.lexsort((values, data.rows))] = np.arange(len(values))
    return found - data.matrix.indptr[data.rows]
