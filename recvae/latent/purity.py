"""Purity: how often items that are near each other have a genre in common."""

import numpy as np
import pandas as pd
import scipy.sparse as sp
import torch

from recvae.errors import DataError, OptionError
from recvae.ranking.neighbors import cosine, nearest


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
