"""Blocks: CSR rows, cut into blocks of users that are scored one after another."""

from collections.abc import Iterator

import scipy.sparse as sp

from recvae.data.matrices import sized

CELLS = 2**24
"""How many scores a block has at most, users times items, unless the catalogue is large."""
LARGE, MORE = 2**17, 4
"""Each block reads the vectors of all items. So with LARGE items or more, blocks get larger, up to
MORE times, and there are fewer of them."""
MOST_USERS = 4096
STEP = 256


def block_users(n_items: int) -> int:
    """How many users a block has when there are `n_items` items."""
    cells = CELLS * min(max(1, n_items // LARGE), MORE)
    most = max(1, min(cells // n_items, MOST_USERS))
    return most // STEP * STEP or 2 ** (most.bit_length() - 1)


def user_blocks(n_users: int, n_items: int) -> list[slice]:
    """Which users each block has, in order, when there are `n_items` items."""
    size = block_users(n_items)
    return [slice(start, start + size) for start in range(0, n_users, size)]


def in_blocks(matrix: sp.csr_matrix, size: int = MOST_USERS) -> Iterator[sp.csr_matrix]:
    """Cut a CSR matrix into blocks of rows, in order."""
    for start in range(0, matrix.shape[0], size):
        yield matrix[start : start + size]


def padded(block: sp.csr_matrix) -> sp.csr_matrix:
    """Add empty rows, so that blocks have only a few different heights.

    For each shape of a matrix product some memory is taken and never given back
    (`devices.SHAPES`). Many of these would break up the memory that blocks use in turn.
    """
    users = block.shape[0]
    height = -(-users // STEP) * STEP if users > STEP else 2 ** max(users - 1, 0).bit_length()
    return sized(block, (height, block.shape[1]))
