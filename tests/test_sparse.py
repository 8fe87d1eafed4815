import numpy as np
import scipy.sparse as sp
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from recvae.batches import Batch
from recvae.sparse import multiply, multiply_transposed


def problem(users, items, seed):
    rows = sp.random(users, items, 0.4, format="csr", random_state=seed, dtype=np.float32)
    generator = torch.Generator().manual_seed(seed)
    weight = torch.randn(items, 3, generator=generator)
    return rows, Batch.of(rows, torch.device("cpu")), weight, generator


@settings(deadline=None, max_examples=30)
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
