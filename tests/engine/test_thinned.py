"""The likelihood whose gradient is thinned: its value is exact, its gradient right on average."""

import numpy as np
import pytest
import scipy.sparse as sp
import torch
from torch.nn.functional import linear

from recvae.engine import thinned, tiled
from recvae.engine.batch import Batch
from recvae.engine.objectives import multinomial_log_likelihood

USERS, ITEMS, WIDTH = 5, 40, 8
NONE, SOME, ALL = (torch.arange(ITEMS) < n for n in (0, 10, ITEMS))


@pytest.fixture(params=[USERS, 64, 2**19], ids=["an item a tile", "some", "all"], autouse=True)
def tiles(request, monkeypatch):
    monkeypatch.setitem(tiled.TILE_CELLS, "cpu", request.param)


def problem():
    rows = sp.random(USERS, ITEMS, 0.1, format="csr", random_state=0, dtype=np.float32)
    rows.data = np.ceil(3 * rows.data)
    shapes = (USERS, WIDTH), (ITEMS, WIDTH), (ITEMS,)
    noise = torch.Generator().manual_seed(1)
    parts = [torch.randn(shape, generator=noise).requires_grad_() for shape in shapes]
    return parts, Batch.of(rows, torch.device("cpu"))


def likelihood(parts, targets, common, seed=0, **options):
    generator = torch.Generator().manual_seed(seed)
    return thinned.multinomial_log_likelihood(*parts, targets, common, generator, **options)


def gradients(values, parts):
    return torch.autograd.grad((values * torch.arange(1, USERS + 1)).sum(), parts)


def exact(parts, targets):
    return multinomial_log_likelihood(linear(*parts), targets)


@pytest.mark.parametrize("common", [NONE, SOME, ALL], ids=["none", "some", "all"])
def test_values_are_exact(common):
    parts, targets = problem()
    values = likelihood(parts, targets, common)
    torch.testing.assert_close(values, exact(parts, targets), rtol=1e-5, atol=1e-5)


def test_gradients_are_exact_where_all_items_are_common():
    parts, targets = problem()
    given = gradients(likelihood(parts, targets, ALL), parts)
    expected = gradients(exact(parts, targets), parts)
    torch.testing.assert_close(given, expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("common", [NONE, SOME], ids=["none", "some"])
def test_gradients_are_right_on_average(common):
    parts, targets = problem()
    # Four draws are possible, all as likely: their mean is the gradient, which none of them is.
    drawn = {}
    for seed in range(40):
        some = gradients(likelihood(parts, targets, common, seed), parts)
        drawn[tuple(part.sum().item() for part in some)] = some
    assert len(drawn) == thinned.EVERY
    for expected, *given in zip(
        gradients(exact(parts, targets), parts), *drawn.values(), strict=True
    ):
        mean = torch.stack(given).mean(dim=0)
        torch.testing.assert_close(mean, expected, rtol=1e-4, atol=1e-4)
        assert all((one - expected).norm() > 0.01 * expected.norm() for one in given)


def test_common_items_and_those_of_the_batch_are_never_left_out():
    parts, targets = problem()
    bias = parts[2]
    (given,) = torch.autograd.grad(likelihood(parts, targets, SOME).sum(), bias)
    there = SOME.clone()
    there[targets.columns] = True
    assert (given[there] != 0).all()
    assert 0.7 < (given[~there] == 0).float().mean() < 0.8


def test_a_seed_decides_what_is_left_out():
    parts, targets = problem()
    one, same = (gradients(likelihood(parts, targets, SOME, seed=3), parts) for _ in range(2))
    assert all(torch.equal(*pair) for pair in zip(one, same, strict=True))


def test_bfloat16_products_are_as_near_as_their_rounding():
    parts, targets = problem()
    values = likelihood(parts, targets, ALL, precision=torch.bfloat16)
    torch.testing.assert_close(values, exact(parts, targets), rtol=0.01, atol=0.01)
    pairs = zip(gradients(values, parts), gradients(exact(parts, targets), parts), strict=True)
    for own, other in pairs:
        assert own.dtype == torch.float32
        assert (own - other).norm() < 0.02 * other.norm()


@pytest.mark.parametrize("number", [0, 1, 2])
def test_a_part_may_be_frozen(number):
    parts, targets = problem()
    expected = gradients(exact(parts, targets), parts[number])
    for other in {0, 1, 2} - {number}:
        parts[other].requires_grad_(False)
    given = gradients(likelihood(parts, targets, ALL), parts[number])
    torch.testing.assert_close(given, expected, rtol=1e-4, atol=1e-4)
