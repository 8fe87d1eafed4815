"""Costs: what a fit takes, estimated from the size of the data before it begins.

The estimates of time are right within a factor of two or three, which is what is needed to choose
between minutes and hours.
"""

from dataclasses import dataclass
from time import perf_counter

import torch

GIGA = 1e9
TWO_CORES = 150.0
"""GFLOP/s of two cores of today: the usual `speed`."""
OF_PRODUCTS = 3
"""A training step takes so many times as long as its products; the rest is the softmax and Adam."""
PER_GIGABYTE = 50
"""GFLOP that take as long as reading a gigabyte, in rows from all over a matrix."""
PER_MILLION = 55
"""GFLOP that take as long as a million entries in a sparse product of few columns."""
BYTES_PER_NEIGHBOR = 30
"""What is kept of a neighbor while its weight is solved for."""
SIDE, ROUNDS = 1024, 3
"""Of the products by which `speed` is measured."""


@dataclass(frozen=True)
class Cost:
    """What a fit takes.

    Attributes:
        gigabytes: memory for the parameters and what they are solved or trained with.
        gigaflop: billions of operations of matrix products that take as long.
    """

    gigabytes: float
    gigaflop: float

    def __add__(self, other: "Cost") -> "Cost":
        """The cost of two fits, one after the other."""
        return Cost(max(self.gigabytes, other.gigabytes), self.gigaflop + other.gigaflop)

    def __le__(self, limit: "Cost") -> bool:
        """Whether both memory and time are within a limit."""
        return self.gigabytes <= limit.gigabytes and self.gigaflop <= limit.gigaflop


def closed_form(n_items: int) -> Cost:
    """An items x items matrix, inverted in its own memory."""
    return Cost(4 * n_items**2 / GIGA, 2 * n_items**3 / GIGA)


def linear_path(n_entries: int, n_items: int, epochs: int) -> Cost:
    """A closed form, of which every entry of the data reads a row in each epoch."""
    solved, read = closed_form(n_items), epochs * n_entries * 4 * n_items / GIGA
    return Cost(solved.gigabytes, solved.gigaflop + PER_GIGABYTE * read)


def softmax(n_users: int, n_items: int, width: int, epochs: int) -> Cost:
    """A net trained by Adam, whose last layer has three products for each user and epoch."""
    products = 3 * 2 * epochs * n_users * n_items * width / GIGA
    return Cost(2 * 4 * 4 * n_items * width / GIGA, OF_PRODUCTS * products)


def regressions(n_items: int, n_entries: int, n_neighbors: int) -> Cost:
    """Items solved for among their neighbors: an entry is in about so many neighborhoods."""
    held = BYTES_PER_NEIGHBOR * n_items * n_neighbors / GIGA
    return Cost(held, PER_MILLION * n_entries * n_neighbors / 1e6)


def speed() -> float:
    """How fast this machine multiplies matrices just now, in GFLOP/s: a tenth of a second."""
    square = torch.ones(SIDE, SIDE)
    begun = perf_counter()
    for _ in range(ROUNDS):
        square @ square
    return 2 * SIDE**3 * ROUNDS / GIGA / (perf_counter() - begun)
