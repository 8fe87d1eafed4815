"""Places: which entries of each row come first by some value."""

import numpy as np

from recvae.data.interactions import Interactions


def places(values: np.ndarray, data: Interactions) -> np.ndarray:
    """The place of each entry's value in its row, the least first: int64 [nnz]."""
    found = np.empty(len(values), dtype=np.int64)
    found[np.lexsort((values, data.rows))] = np.arange(len(values))
    return found - data.matrix.indptr[data.rows]
