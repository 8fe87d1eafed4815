"""Adam by rows is Adam."""

from copy import deepcopy

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


@pytest.mark.parametrize("l2", [0.0, 0.3])
def test_it_is_torch_s_adam_on_the_loss_with_the_squares(l2):
    """Its step is scaled by a factor, and l2 is a coefficient of the sum of squares."""
    table, whole = Table(), Table()
    own = Optimizer(table, "", learning_rate=0.2, l2=l2)
    adam = torch.optim.Adam([whole.weight], lr=0.2 * 0.25)
    for _ in range(5):
        own.step((table.weight - 0.5).pow(4).sum(), lr_factor=0.25)
        loss = (whole.weight - 0.5).pow(4).sum() + l2 * whole.weight.square().sum()
        whole.weight.grad = torch.autograd.grad(loss, whole.weight)[0]
        adam.step()
    torch.testing.assert_close(table.weight, whole.weight)


def lazy_adam(weights, slopes_of, steps, rate, l2):
    """The slow way, row by row in float64: steps that a row has missed come before its next."""
    weights, (b1, b2) = weights.astype(float), (0.9, 0.999)
    first, second, last = np.zeros_like(weights), np.zeros_like(weights), [0] * len(weights)
    for step, rows in enumerate(steps, 1):
        corrected = 1 - b1**step, 1 - b2**step
        for row in rows:
            slope = slopes_of(weights[row])  # the loss was computed before the missed steps
            # With gradients of 0 the moment shrinks from step to step; its scale stays.
            scale = np.sqrt(second[row] / corrected[1]) + 1e-8
            for _ in range(step - 1 - last[row]):
                first[row] *= b1
                weights[row] -= rate * first[row] / corrected[0] / scale
                second[row] *= b2
            slope += 2 * l2 * weights[row]
            first[row] = b1 * first[row] + (1 - b1) * slope
            second[row] = b2 * second[row] + (1 - b2) * slope**2
            scale = np.sqrt(second[row] / corrected[1]) + 1e-8
            weights[row] -= rate * first[row] / corrected[0] / scale
            last[row] = step
    return weights


@pytest.mark.parametrize("l2", [0.0, 0.3])
def test_rows_are_updated_as_in_a_slow_reference(l2):
    steps = [[0, 1, 2], [1], [1, 4], [0, 4], [2, 4], [0, 1, 2, 3, 4, 5], [3]]
    table = Table()
    optimizer = Optimizer(table, "", learning_rate=0.1, l2=l2)
    for rows in steps:
        weight = AsRows.apply(table.weight, torch.tensor(rows))
        optimizer.step((weight - 0.5).square().sum(), lr_factor=0.5)
    start = Table().weight.detach().numpy()
    expected = lazy_adam(start, lambda row: 2 * (row - 0.5), steps, 0.05, l2)
    np.testing.assert_allclose(table.weight.detach(), expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("rows", [None, [0, 3]])
def test_it_goes_on_from_its_state(rows):
    def step(table, optimizer):
        weight = table.weight if rows is None else AsRows.apply(table.weight, torch.tensor(rows))
        optimizer.step((weight - 0.5).square().sum())

    table, other = Table(), Table()
    one, two = (Optimizer(net, "", learning_rate=0.1, l2=0.1) for net in (table, other))
    step(table, one)
    other.load_state_dict(table.state_dict())
    two.load_state_dict(deepcopy(one.state_dict()))
    step(table, one)
    step(other, two)
    assert torch.equal(table.weight, other.weight)


@pytest.mark.parametrize(
    "change",
    [
        {"exp_avg": torch.zeros(6, 2)},
        {"exp_avg_sq": torch.zeros(6, 3, dtype=torch.float64)},
        {"step": torch.zeros(2)},
        {"step": torch.tensor(0.0)},
        {"last": torch.full((6,), 2.0)},
        {"last": torch.zeros(5)},
    ],
    ids=lambda change: f"{next(iter(change))}",
)
def test_a_state_of_something_else_is_refused(change):
    table = Table()
    optimizer = Optimizer(table, "", learning_rate=0.1, l2=0.0)
    optimizer.step(AsRows.apply(table.weight, torch.tensor([0, 2])).square().sum())
    (moments,) = optimizer.state_dict()["moments"]
    optimizer.load_state_dict({"moments": [dict(moments)]})
    with pytest.raises(ValueError, match=r"a tensor is|Adam has made"):
        optimizer.load_state_dict({"moments": [moments | change]})
