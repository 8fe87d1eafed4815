"""Items in the latent space: their codes, histories around them, and what neighbours share."""

import numpy as np
import pandas as pd
import scipy.sparse as sp
import torch

from recvae.data.matrices import of_ones
from recvae.errors import DataError, OptionError
from recvae.models.contract.abilities import Ability
from recvae.models.contract.inputs import as_input
from recvae.models.contract.recommender import Recommender
from recvae.ranking.neighbors import cosine, nearest


def item_codes(model: Recommender, histories: sp.csr_matrix) -> np.ndarray:
    """The code of each item: the mean code of the users who have it; of all users if nobody does.

    A user of n items has the weight 1 / sqrt(n), since a long history says less about each of its
    items. (The code of a history with the item alone is worse: few training users have such a
    history, and the code of a net for it is close to the center.)

    Args:
        model: a fitted autoencoder, or an ensemble.
        histories: CSR [users, items], weights not read.

    Returns:
        float32 [items, latent].

    Raises:
        DataError: the histories are empty.
    """
    model.require(Ability.CODES)
    histories = as_input(model.checked(histories))
    if histories.nnz == 0:
        raise DataError("no user has an item: give histories, such as the training users'.")
    codes, _ = model.encode(histories)
    weights = np.maximum(np.diff(histories.indptr), 1) ** -0.5
    members = (sp.diags(weights) @ histories).T.tocsr()
    totals = members.sum(axis=1).A1[:, None]
    means = (members @ codes) / np.maximum(totals, np.finfo(np.float32).tiny)
    return np.where(totals > 0, means, codes.mean(axis=0)).astype(np.float32)


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
        OptionError: a column is out of range.
    """
    n_items = len(model.items_)
    columns = np.arange(n_items) if columns is None else columns
    similar, _ = model.similar_items(columns, min(k, n_items))
    members = np.column_stack([columns, similar])
    return of_ones(members[members >= 0], (members >= 0).sum(axis=1), n_items)


def genre_purity(vectors: np.ndarray, genres: pd.Series, k: int = 10) -> np.ndarray:
    """The fraction of each item's k nearest neighbours that have a genre in common with it.

    Args:
        vectors: [items, d], compared by their cosine: `item_codes`, or others to compare with.
        genres: text [items], the genres of each item, separated by `|`; items without any are not
            taken as neighbours.
        k: number of neighbours, less than the number of items with genres.

    Returns:
        float64 [items], NaN for items without genres.

    Raises:
        DataError: there is not one vector for each line of genres, or no item has a genre.
        OptionError: k is out of range.
    """
    marks = genres.fillna("").str.get_dummies().drop(columns="", errors="ignore")
    known = marks.any(axis=1).to_numpy()
    if len(vectors) != len(genres) or not known.any():
        raise DataError(
            f"there are {len(vectors)} vectors, and genres of {known.sum()} among {len(genres)} "
            "items: give a vector and the genres of each item."
        )
    if k >= known.sum():
        raise OptionError(f"k={k} must be less than the items that have genres, {known.sum():,}.")
    found = torch.from_numpy(vectors[known].astype(np.float32))
    near, _ = nearest(cosine(found), np.arange(len(found)), len(found), k)
    members = sp.csr_matrix(marks.to_numpy(dtype=np.float32)[known])
    shared = members[np.arange(len(near)).repeat(k)].multiply(members[near.ravel()])
    purity = np.full(len(vectors), np.nan)
    purity[known] = (shared.getnnz(axis=1) > 0).reshape(-1, k).mean(axis=1)
    return purity
