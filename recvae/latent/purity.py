"""Purity: whether the items that are near each other share a genre."""

import numpy as np
import pandas as pd
import scipy.sparse as sp
import torch

from recvae.errors import DataError, OptionError
from recvae.ranking.neighbors import cosine, nearest


def genre_purity(vectors: np.ndarray, genres: pd.Series, k: int = 10) -> np.ndarray:
    """The share of each item's k nearest neighbours that share a genre with it.

    Args:
        vectors: [items, d], compared by their cosine: `item_codes`, or any other to hold against.
        genres: text [items], the genres of each separated by `|`; items with none are nobody's
            neighbours.
        k: how many neighbours, less than the items that have genres.

    Returns:
        float64 [items], NaN for items with no genres.

    Raises:
        DataError: not one vector for each of the genres, or no item has any.
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
