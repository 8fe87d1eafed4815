import numpy as np
import pytest
import scipy.sparse as sp
import torch
from hypothesis import given
from hypothesis import strategies as st

from recvae.engine.batch import Batch
from recvae.engine.batches import Batches, Resident

CPU = torch.device("cpu")
ROWS = sp.csr_matrix(np.array([[1, 0, 2, 4], [0, 0, 0, 0], [0, 3, 0, 5]], dtype=np.float32))


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def as_array(batch):
    shape = (len(batch), batch.n_items)
    return sp.csr_matrix((batch.values, batch.columns, batch.offsets), shape=shape).toarray()


@given(seed=st.integers(0, 2**31), rate=st.floats(0, 1), density=st.floats(0, 1))
def test_a_split_parts_the_entries(seed, rate, density):
    rows = sp.random(5, 7, density=density, format="csr", random_state=seed, dtype=np.float32)
    kept, left = Batch.of(rows, CPU).split(rate, generator(seed))
    np.testing.assert_array_equal(as_array(kept) + as_array(left), rows.toarray())
    assert not (as_array(kept) * as_array(left)).any()
    assert len(kept.columns) + len(left.columns) == rows.nnz
    assert kept.rows.shape == kept.columns.shape


def test_a_split_leaves_out_the_share_it_is_told():
    batch = Batch.of(sp.csr_matrix(np.ones((100, 1000), dtype=np.float32)), CPU)
    kept, left = batch.split(0.3, generator())
    assert len(left.columns) / len(batch.columns) == pytest.approx(0.3, abs=0.01)
    assert batch.split(0.0, generator())[1].sum(batch.split(0.0, generator())[1].values).sum() == 0
    assert kept.n_items == left.n_items == 1000


def test_the_inner_product_with_a_dense_matrix():
    dense = torch.randn(3, 4, generator=generator())
    expected = (torch.tensor(ROWS.toarray()) * dense).sum(dim=1)
    torch.testing.assert_close(Batch.of(ROWS, CPU).inner(dense), expected)


@given(seed=st.integers(0, 2**31), density=st.floats(0, 1), size=st.integers(1, 6))
def test_batches_are_the_rows_of_the_matrix_in_the_order_drawn(seed, density, size):
    rows = sp.random(6, 7, density=density, format="csr", random_state=seed)
    rows.indices.setflags(write=False)
    rows.data.setflags(write=False)
    batches = list(Batches(Resident(rows, CPU), size, np.random.default_rng(seed)))
    order = np.random.default_rng(seed).permutation(6)
    for number, batch in enumerate(batches):
        expected = Batch.of(rows[order[number * size : (number + 1) * size]], CPU)
        for own, other in zip(fields(batch), fields(expected), strict=True):
            torch.testing.assert_close(own, other, rtol=0, atol=0)
    assert sum(map(len, batches)) == 6


def fields(batch):
    return batch.offsets, batch.columns, batch.values
