"""Memory: what is freed is kept at hand for what comes next.

The GNU C library gives a large block back to the system as soon as it is freed, and the next one
is taken anew, page by page: that can be half the time of a training step.
"""

import ctypes
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import cache, partial

import torch

from recvae.engine.switch import Switch, Undo
from recvae.errors import TrainingError

M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3
"""What is free at the end of the heap, and how large a block is, when they go to the system."""
KEEP = {M_MMAP_THRESHOLD: 2**30, M_TRIM_THRESHOLD: 2**31 - 1}
USUAL = {M_MMAP_THRESHOLD: 2**25, M_TRIM_THRESHOLD: 2**26}
"""What the library comes to by itself, at most."""

NO_MEMORY = "can't allocate memory"
"""How torch says it of the CPU, by an error that has no class of its own."""


def kept() -> AbstractContextManager[None]:
    """Keep freed blocks of up to a gigabyte for a while, then give them back.

    Does nothing where there is another C library.
    """
    return _KEPT.on()


@contextmanager
def one_clear_error() -> Iterator[None]:
    """Make a TrainingError of what torch raises when memory runs out."""
    try:
        yield
    except RuntimeError as error:
        if not isinstance(error, torch.OutOfMemoryError) and NO_MEMORY not in str(error):
            raise
        raise TrainingError(
            f"memory ran out ({str(error).splitlines()[0]}): choose a smaller latent, hidden or "
            "batch_size, or keep fewer items."
        ) from error


def _keep() -> Undo:
    library = _glibc()
    if library is None:
        return lambda: None
    _set(library, KEEP)
    return partial(_give_back, library)


def _give_back(library: ctypes.CDLL) -> None:
    _set(library, USUAL)
    library.malloc_trim(0)


_KEPT = Switch(_keep)


def _set(library: ctypes.CDLL, options: dict[int, int]) -> None:
    for name, value in options.items():
        library.mallopt(name, value)


@cache
def _glibc() -> ctypes.CDLL | None:
    try:
        library = ctypes.CDLL(None)
        return library if hasattr(library, "mallopt") and hasattr(library, "malloc_trim") else None
    except (OSError, TypeError):
        return None
