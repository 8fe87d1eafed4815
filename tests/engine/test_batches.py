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


def test_dropout_zeroes_entries_and_scales_up_the_others():
    batch = Batch.of(sp.csr_matrix(np.full((100, 1000), 3, dtype=np.float32)), CPU)
    values = batch.dropout(0.4, generator()).values
    assert values.unique().tolist() == pytest.approx([0, 3 / 0.6])
    assert (values == 0).float().mean().item() == pytest.approx(0.4, abs=0.01)
    assert torch.equal(batch.dropout(0.0, generator()).values, batch.values)


def test_rows_are_scaled_to_length_1():
    batch = Batch.of(ROWS, CPU).normalized()
    lengths = np.sqrt((ROWS.toarray() ** 2).sum(axis=1, keepdims=True))
    np.testing.assert_allclose(as_array(batch), ROWS.toarray() / np.maximum(lengths, 1), rtol=1e-6)


def test_entries_are_summed_by_user_and_numbered_by_item():
    batch = Batch.of(ROWS, CPU)
    assert batch.rows.tolist() == [0, 0, 0, 2, 2]
    assert batch.by_item.tolist() == [0, 3, 1, 2, 4]
    assert batch.sum(batch.values).tolist() == [7, 0, 8]


def test_the_product_with_a_matrix():
    weight = torch.randn(4, 2, generator=generator())
    torch.testing.assert_close(
        Batch.of(ROWS, CPU).multiply(weight), torch.tensor(ROWS.toarray()) @ weight
    )


@pytest.mark.parametrize("users", [slice(0, 2), slice(1, 3), slice(1, 1), slice(0, 3)])
def test_a_part_knows_its_place_in_the_whole(users):
    part = Batch.of(ROWS, CPU).part(users)
    np.testing.assert_array_equal(as_array(part), ROWS.toarray()[users])
    assert part.place.users == users
    assert (part.place.n_users, part.place.n_entries) == (3, 5)
    assert part.fraction == (users.stop - users.start) / 3
    assert Batch.of(ROWS, CPU).fraction == 1


@pytest.mark.parametrize("items", [slice(0, 2), slice(1, 4), slice(2, 2), slice(0, 4)])
def test_the_rows_of_some_items(items):
    within = Batch.of(ROWS, CPU).within(items)
    np.testing.assert_array_equal(as_array(within), ROWS.toarray()[:, items])


def test_noise_is_uniform_for_each_entry_and_normal_for_each_user():
    batch = Batch.of(sp.csr_matrix(np.ones((100, 1000), dtype=np.float32)), CPU)
    uniform, normal = batch.uniform(generator()), batch.normal(1000, generator(1))
    assert uniform.shape == batch.values.shape
    assert (uniform.min() >= 0, uniform.max() < 1) == (True, True)
    assert [uniform.mean().item(), uniform.std().item()] == pytest.approx([0.5, 12**-0.5], abs=0.01)
    assert normal.shape == (100, 1000)
    assert [normal.mean().item(), normal.std().item()] == pytest.approx([0, 1], abs=0.02)


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
