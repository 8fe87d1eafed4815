"""Memory: freed blocks are kept by the process and used again; running out is one clear error.

The GNU C library gives a large block back to the system as soon as it is freed, and asks for the
next one page by page. That can be half the time of a training step.
"""

import ctypes
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import cache, partial

import torch

from recvae.engine.switch import Switch, Undo
from recvae.errors import TrainingError

M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3
"""Thresholds above which free memory goes back to the system: the heap's end, a single block."""
KEEP = {M_MMAP_THRESHOLD: 2**30, M_TRIM_THRESHOLD: 2**31 - 1}
USUAL = {M_MMAP_THRESHOLD: 2**25, M_TRIM_THRESHOLD: 2**26}
"""The highest values that the library comes to by itself."""

NO_MEMORY = "can't allocate memory"
"""A part of torch's message on the CPU, whose error has no class of its own."""


@contextmanager
def as_training_error() -> Iterator[None]:
    """A context in which torch's and NumPy's errors for lack of memory become a TrainingError."""
    try:
        yield
    except (RuntimeError, MemoryError) as error:
        of_memory = isinstance(error, MemoryError | torch.OutOfMemoryError)
        if not of_memory and NO_MEMORY not in str(error):
            raise
        reason = str(error).splitlines() or ["no more is left"]
        raise TrainingError(
            f"memory ran out ({reason[0]}): choose a smaller latent, hidden or batch_size, or keep "
            "fewer items."
        ) from error


def _keep() -> Undo:
    library = _glibc()
    if library is None:
        return lambda: None
    for name, value in KEEP.items():
        library.mallopt(name, value)
    return partial(_give_back, library)


def _give_back(library: ctypes.CDLL) -> None:
    for name, value in USUAL.items():
        library.mallopt(name, value)
    library.malloc_trim(0)


kept: Callable[[], AbstractContextManager[None]] = Switch(_keep).on
"""A context in which freed blocks of up to a gigabyte are kept; they are given back at its end.

It does nothing with a C library other than GNU's.
"""


@cache
def _glibc() -> ctypes.CDLL | None:
    try:
        library = ctypes.CDLL(None)
        return library if hasattr(library, "mallopt") and hasattr(library, "malloc_trim") else None
    except (OSError, TypeError):
        return None
