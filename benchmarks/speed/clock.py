"""How things are timed: in a process of their own, several times, as a median and a range."""

import resource
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import wraps
from multiprocessing import get_context
from time import perf_counter
from typing import Any

import numpy as np
import pandas as pd

from recvae.models import Recommender


def alone(function: Callable[..., Any], *arguments: Any) -> tuple[Any, float]:
    """What a function gives in a process of its own, and the most gigabytes that this took."""
    with ProcessPoolExecutor(max_workers=1, mp_context=get_context("spawn")) as process:
        return process.submit(_with_peak, function, *arguments).result()


def seconds_of(call: Callable[[], object], calls: int, at_least: float = 0.0) -> list[float]:
    """The seconds of each of so many calls, or of more until so many seconds are over."""
    taken: list[float] = []
    began = perf_counter()
    while len(taken) < calls or perf_counter() - began < at_least:
        started = perf_counter()
        call()
        taken.append(perf_counter() - started)
    return taken


def clocked(owner: type, name: str) -> list[float]:
    """A list of the seconds that each call of a method takes in this process, from now on."""
    seconds: list[float] = []
    usual, is_static = getattr(owner, name), isinstance(vars(owner)[name], staticmethod)

    @wraps(usual)
    def method(*arguments: Any, **named: Any) -> Any:
        """The same, timed."""
        started = perf_counter()
        result = usual(*arguments, **named)
        seconds.append(perf_counter() - started)
        return result

    setattr(owner, name, staticmethod(method) if is_static else method)
    return seconds


def each_epoch(model: Recommender, column: str = "seconds") -> list[float]:
    """What the history of a fitted model says of each epoch."""
    return pd.DataFrame(model.history_)[column].tolist()


def spread(values: Sequence[float] | np.ndarray) -> dict[str, float]:
    """The median, the least and the most, of three digits each."""
    low, middle, high = (float(f"{q:.3g}") for q in np.quantile(values, [0, 0.5, 1]))
    return {"median": middle, "least": low, "most": high}


def peak_gigabytes() -> float:
    """The most memory that this process has had, on Linux."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20


def _with_peak(function: Callable[..., Any], *arguments: Any) -> tuple[Any, float]:
    """Call a function."""
    return function(*arguments), peak_gigabytes()
