"""Neighbor histories: a history around each item, made from the model alone."""

import numpy as np
import scipy.sparse as sp

from recvae.data.matrices import of_ones
from recvae.models.contract.recommender import Recommender


def neighbor_histories(
    model: Recommender, columns: np.ndarray | None = None, k: int = 20
) -> sp.csr_matrix:
    """A history for each item, which has the item and the k items most similar to it.

    They take the place of the training users, which a saved model does not keep: a map made of them
    needs no data (see `TasteMap.fit`).

    Args:
        model: any fitted model with similar items.
        columns: int [n], the items to make histories for; all of them by default.
        k: how many similar items, at most.

    Returns:
        CSR float32 [n, items] of ones.

    Raises:
        OptionError: the model has no similar items, or a column is out of range.
    """
    n_items = len(model.items_)
    columns = np.arange(n_items) if columns is None else columns
    nearest, _ = model.similar_items(columns, min(k, n_items))
    members = np.column_stack([columns, nearest])
    return of_ones(members[members >= 0], (members >= 0).sum(axis=1), n_items)
