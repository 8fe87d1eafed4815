import numpy as np
import pytest
import scipy.sparse as sp
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from recvae.engine import sparse
from recvae.engine.batch import Batch
from recvae.engine.sparse import multiply, multiply_transposed, take


def problem(users, items, seed):
    rows = sp.random(users, items, 0.4, format="csr", random_state=seed, dtype=np.float32)
    generator = torch.Generator().manual_seed(seed)
    weight = torch.randn(items, 3, generator=generator)
    return rows, Batch.of(rows, torch.device("cpu")), weight, generator


@settings(max_examples=30)
@given(st.integers(1, 6), st.integers(1, 9), st.integers(0, 99))
def test_products_and_gradients_are_those_of_dense_matrices(users, items, seed):
    rows, batch, weight, generator = problem(users, items, seed)
    dense, upstream = torch.tensor(rows.toarray()), torch.randn(users, 3, generator=generator)
    weight.requires_grad_()
    product = multiply(batch, weight)
    torch.testing.assert_close(product, dense @ weight)
    (gradient,) = torch.autograd.grad(product, weight, upstream)
    torch.testing.assert_close(gradient, dense.T @ upstream)
    torch.testing.assert_close(multiply_transposed(batch, upstream), dense.T @ upstream)


def test_a_row_may_hold_an_item_twice():
    batch = Batch(torch.tensor([0, 2]), torch.tensor([1, 1]), torch.tensor([2.0, 3.0]), 2)
    weight = torch.eye(2, requires_grad=True)
    product = multiply(batch, weight)
    assert product.tolist() == [[0.0, 5.0]]
    (gradient,) = torch.autograd.grad(product.sum(), weight)
    assert gradient.tolist() == [[0.0, 0.0], [5.0, 5.0]]


def test_values_can_be_differentiated_too():
    _, batch, weight, _ = problem(4, 6, 0)
    batch.values.requires_grad_()
    (gradient,) = torch.autograd.grad(multiply(batch, weight.requires_grad_()).sum(), batch.values)
    torch.testing.assert_close(gradient, weight.detach().sum(dim=1)[batch.columns])


@pytest.fixture
def large(monkeypatch):
    """Every catalogue is a large one."""
    monkeypatch.setattr(sparse, "LARGE", 0)


@pytest.mark.usefixtures("large")
def test_in_a_large_catalogue_gradients_hold_the_rows_that_were_used():
    rows, batch, weight, generator = problem(3, 8, 1)
    upstream = torch.randn(3, 3, generator=generator)
    (gradient,) = torch.autograd.grad(multiply(batch, weight.requires_grad_()), weight, upstream)
    assert gradient.is_sparse
    assert set(gradient.coalesce().indices()[0].tolist()) == set(rows.indices)
    torch.testing.assert_close(gradient.to_dense(), torch.tensor(rows.toarray()).T @ upstream)


def test_rows_are_taken_and_get_the_gradient():
    weight, chosen = torch.randn(9, 2, generator=torch.Generator()).requires_grad_(), [1, 4]
    taken = take(weight, torch.tensor(chosen))
    torch.testing.assert_close(taken, weight[chosen])
    (gradient,) = torch.autograd.grad(taken, weight, torch.ones(2, 2))
    assert gradient.coalesce().indices().tolist() == [chosen]
    expected = torch.zeros(9, 2)
    expected[chosen] = 1
    torch.testing.assert_close(gradient.to_dense(), expected)
