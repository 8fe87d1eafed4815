"""What the scripts have in common: their arguments, the clock, the memory.

They import nothing of recvae, which is not in their environments.
"""

import resource
import sys
from collections.abc import Callable
from time import perf_counter

import scipy.sparse as sp

K = 100
"""Items a list."""
REPEATS = 3


def arguments() -> tuple[sp.csr_matrix, sp.csr_matrix, int, int]:
    """What is known of users, what is held out of them, users a batch, epochs."""
    known, held_out, batch_size, epochs = sys.argv[1:]
    return load(known), load(held_out), int(batch_size), int(epochs)


def load(path: str) -> sp.csr_matrix:
    """A matrix."""
    return sp.csr_matrix(sp.load_npz(path))


def seconds_of(call: Callable[[], object], calls: int) -> list[float]:
    """The seconds of each of so many calls."""
    seconds = []
    for _ in range(calls):
        start = perf_counter()
        call()
        seconds.append(perf_counter() - start)
    return seconds


def rates(call: Callable[[], object], n_users: int) -> list[float]:
    """Users a second, several times."""
    return [n_users / seconds for seconds in seconds_of(call, REPEATS)]


def gigabytes() -> float:
    """The most memory that this process has had."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
