"""Reranking: moves a list towards popular items or towards niche items."""

import numpy as np

POOL = 200
"""At least this many of the model's best items are put into a new order."""


def rerank(
    ids: np.ndarray, scores: np.ndarray, counts: np.ndarray, niche: float, k: int
) -> tuple[np.ndarray, np.ndarray]:
    """Choose k items of a longer list by a mix of the model's score and popularity.

    The pool is the best max(k, POOL) items. It is ordered by
    `(1 - |niche|) z(score) - niche z(log(1 + count))`, where z subtracts the mean over the pool and
    divides by the standard deviation. At 0 the list is the model's, at 1 it has the least popular
    items of the pool, at -1 the most popular. Items below the pool are never shown.

    Args:
        ids: int [n], a list, best first; -1 at its end means no item.
        scores: float [n].
        counts: int [items], how many users have each item.
        niche: from -1 to 1.
        k: length of the list to make.

    Returns:
        Columns and the model's scores, [k] or fewer.
    """
    n = min(int((ids >= 0).sum()), max(k, POOL))
    ids, scores = ids[:n], scores[:n]
    if niche != 0:
        worth = (1 - abs(niche)) * _z(scores) - niche * _z(np.log1p(counts[ids]))
        order = np.argsort(-worth, kind="stable")
        ids, scores = ids[order], scores[order]
    return ids[:k], scores[:k]


def _z(values: np.ndarray) -> np.ndarray:
    """Values in standard deviations from their mean; 0 where all are equal."""
    if values.size == 0:
        return values
    centred = values.astype(np.float64) - values.mean(dtype=np.float64)
    return centred / max(centred.std(), np.finfo(np.float32).tiny)
