"""Reranking: a list moved between the popular and the niche."""

import numpy as np

POOL = 200
"""The best items by the model, at least so many of which are put in another order."""


def rerank(
    ids: np.ndarray, scores: np.ndarray, counts: np.ndarray, niche: float, k: int
) -> tuple[np.ndarray, np.ndarray]:
    """Choose k of a longer list, between its most popular items and its least popular.

    Items go by `(1 - |niche|) z(score) - niche z(log(1 + count))`, where z takes the mean over the
    best max(k, POOL) items away and divides by their standard deviation. So at 0 the list is the
    model's, at 1 it is the least popular of the pool, at -1 the most popular; what the model
    ranks below the pool is never shown.

    Args:
        ids: int [n], a list, best first; -1 at its end is no item.
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
