"""What the parts share: the data, processes of their own, medians and their spread."""

import resource
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import Any

import numpy as np
import scipy.sparse as sp

from benchmarks.speed.evaluation import generate

__all__ = ["BATCH", "ML_20M", "alone", "generate", "like_ml_20m", "spread"]

ML_20M = (116_677, 20_108)
"""Users and items of MovieLens 20M as Liang et al. train on it."""
BATCH = 500


def like_ml_20m(scale: float, users: int = ML_20M[0]) -> sp.csr_matrix:
    """Generated interactions of its shape, or of a part of it."""
    return generate(int(users * scale), max(1000, int(ML_20M[1] * scale)))


def alone(function: Callable[..., Any], *arguments: Any) -> tuple[Any, float]:
    """What a function gives in a process of its own, and the gigabytes that this took at most."""
    with ProcessPoolExecutor(max_workers=1, mp_context=get_context("spawn")) as process:
        return process.submit(_with_peak, function, *arguments).result()


def _with_peak(function: Callable[..., Any], *arguments: Any) -> tuple[Any, float]:
    result = function(*arguments)
    return result, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20


def spread(seconds: list[float]) -> dict[str, float]:
    """The median, least and most."""
    low, middle, high = (float(f"{q:.3g}") for q in np.quantile(seconds, [0, 0.5, 1]))
    return {"median": middle, "least": low, "most": high}
