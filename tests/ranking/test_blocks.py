import numpy as np
import pytest
import scipy.sparse as sp

from recvae.ranking.blocks import CELLS, MORE, MOST_USERS, block_users, in_blocks, padded


def test_blocks_are_the_matrix_in_order():
    matrix = sp.random(10, 5, density=0.5, format="csr", random_state=0)
    blocks = list(in_blocks(matrix, size=4))
    assert [block.shape[0] for block in blocks] == [4, 4, 2]
    np.testing.assert_array_equal(sp.vstack(blocks).toarray(), matrix.toarray())


@pytest.mark.parametrize(
    ("n_items", "users"),
    [(1, 4096), (2000, 4096), (20_108, 768), (250_000, 64), (10**6, 64), (10**7, 4), (10**9, 1)],
)
def test_scores_of_a_block_are_bounded(n_items, users):
    assert block_users(n_items) == users
    assert users == 1 or users * n_items <= (CELLS if n_items < 10**6 else MORE * CELLS)


@pytest.mark.parametrize(
    ("users", "height"), [(1, 1), (3, 4), (256, 256), (257, 512), (4095, 4096), (4097, 4352)]
)
def test_rows_are_added_up_to_a_height(users, height):
    block = sp.random(users, 5, density=0.5, format="csr", random_state=0)
    taller = padded(block)
    assert taller.shape == (height, 5)
    assert (taller[:users] != block).nnz == 0
    assert taller[users:].nnz == 0


def test_heights_are_few():
    every = range(1, MOST_USERS + 1)
    heights = {padded(sp.csr_matrix((users, 1))).shape[0] for users in every}
    assert len(heights) == 24
    assert all(block_users(n_items) in heights for n_items in range(1, 30_000, 100))
