"""Blocks: CSR rows, some of them at a time."""

from collections.abc import Iterator

import numpy as np
import scipy.sparse as sp

CELLS = 2**24
"""Of users x items, in a block that is scored."""
MOST_USERS = 4096
STEP = 256


def block_users(n_items: int) -> int:
    """How many users' scores of so many items are held at a time."""
    most = max(1, min(CELLS // n_items, MOST_USERS))
    return most // STEP * STEP or 2 ** (most.bit_length() - 1)


def in_blocks(matrix: sp.csr_matrix, size: int = MOST_USERS) -> Iterator[sp.csr_matrix]:
    """Cut a CSR matrix into blocks of rows, in order."""
    for start in range(0, matrix.shape[0], size):
        yield matrix[start : start + size]


def padded(block: sp.csr_matrix) -> sp.csr_matrix:
    """Add empty rows, so that blocks have few different heights.

    Each shape that matrices are multiplied in takes memory for good (`devices.SHAPES`),
    and in between the memory of the blocks, which comes and goes, is broken into pieces.
    """
    users = block.shape[0]
    height = -(-users // STEP) * STEP if users > STEP else 2 ** max(users - 1, 0).bit_length()
    starts = np.pad(block.indptr, (0, height - users), mode="edge")
    return sp.csr_matrix((block.data, block.indices, starts), shape=(height, block.shape[1]))
