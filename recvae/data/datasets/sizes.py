"""Sizes: what to expect of a data set before it is downloaded, as its publisher states it."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Size:
    """How large a data set is: what is rated in it, and its zip."""

    ratings: int
    users: int
    items: int
    megabytes: int


SIZES = {
    "sample": Size(222_520, 3_000, 1_200, 0),
    "ml-100k": Size(100_000, 943, 1_682, 5),
    "ml-1m": Size(1_000_209, 6_040, 3_706, 6),
    "ml-10m": Size(10_000_054, 69_878, 10_677, 66),
    "ml-20m": Size(20_000_263, 138_493, 26_744, 199),
    "ml-25m": Size(25_000_095, 162_541, 59_047, 262),
    "ml-32m": Size(32_000_204, 200_948, 84_432, 239),
    "ml-latest-small": Size(100_836, 610, 9_724, 1),
    "ml-latest": Size(33_832_162, 330_975, 83_239, 351),
}
"""What is rated in each data set; `ml-latest` grows with time."""
