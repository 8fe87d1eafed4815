"""Adam by rows is Adam."""

import numpy as np
import pytest
import torch
from torch import nn

from recvae.engine.optimizer import Optimizer


class Table(nn.Module):
    def __init__(self):
        super().__init__()
        generator = torch.Generator().manual_seed(0)
        self.weight = nn.Parameter(torch.randn(6, 3, generator=generator))


class AsRows(torch.autograd.Function):
    """Gives back a gradient as rows of a sparse one."""

    @staticmethod
    def forward(ctx, weight, rows):
        ctx.rows = rows
        return weight.clone()

    @staticmethod
    def backward(ctx, gradient):
        values, shape = gradient[ctx.rows], gradient.shape
        sparse = torch.sparse_coo_tensor(ctx.rows[None], values, shape, check_invariants=False)
        return sparse, None


def descend(rows, steps=4, l2=0.0):
    """Steps towards 0.5 and the weights after each; `rows` None is the dense way."""
    table = Table()
    optimizer = Optimizer(table, "", learning_rate=0.1, l2=l2)
    seen = []
    for _ in range(steps):
        weight = table.weight if rows is None else AsRows.apply(table.weight, torch.tensor(rows))
        optimizer.step((weight - 0.5).square().sum())
        seen.append(table.weight.detach().clone())
    return torch.stack(seen)


@pytest.mark.parametrize("l2", [0.0, 0.3])
def test_all_rows_are_the_dense_way(l2):
    torch.testing.assert_close(descend([0, 1, 2, 3, 4, 5], l2=l2), descend(None, l2=l2))


def test_other_rows_stay():
    weights = descend([1, 4], l2=0.3).numpy()
    np.testing.assert_array_equal(weights[-1][[0, 2, 3, 5]], Table().weight.detach()[[0, 2, 3, 5]])
    np.testing.assert_allclose(weights[:, [1, 4]], descend(None, l2=0.3)[:, [1, 4]], rtol=1e-5)


def test_rows_make_up_for_the_steps_they_missed():
    """As in PyTorch's Adam with gradients of 0, late enough for its corrections to be steady."""
    table, whole = Table(), Table()
    own, adam = (
        Optimizer(table, "", learning_rate=0.01, l2=0.0),
        torch.optim.Adam([whole.weight], 0.01),
    )
    for step in range(61):
        rows = [0, 1, 2, 3, 4, 5] if step % 4 == 0 else [1, 4]
        slopes = torch.zeros(6, 3)
        slopes[rows] = table.weight.detach()[rows]
        own.step((AsRows.apply(table.weight, torch.tensor(rows)) * slopes).sum())
        whole.weight.grad = slopes
        adam.step()
    moved = Table().weight - table.weight
    torch.testing.assert_close(moved, Table().weight - whole.weight, rtol=0.1, atol=0)


def test_a_part_in_charge_is_the_only_one_with_gradients():
    net = nn.ModuleDict({"encoder": nn.Linear(2, 2), "decoder": nn.Linear(2, 2)})
    optimizer = Optimizer(net, "encoder", learning_rate=0.1, l2=0.0)
    with optimizer.in_charge():
        asked = {name for name, parameter in net.named_parameters() if parameter.requires_grad}
        assert asked == {"encoder.weight", "encoder.bias"}
    assert all(parameter.requires_grad for parameter in net.parameters())


def test_a_gradient_may_be_laid_out_otherwise():
    plain, transposed = Table(), Table()
    signs = torch.tensor([[1.0, -1, 1], [-1, 1, 1]] * 3)
    Optimizer(plain, "", learning_rate=0.1, l2=0.0).step((plain.weight * signs).sum())
    loss = (transposed.weight.T * signs.T.contiguous()).sum()
    Optimizer(transposed, "", learning_rate=0.1, l2=0.0).step(loss)
    torch.testing.assert_close(transposed.weight, plain.weight)
