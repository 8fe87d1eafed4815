"""The tiled log-likelihood is the plain one."""

import numpy as np
import pytest
import scipy.sparse as sp
import torch
from torch.nn.functional import linear

from recvae.engine import tiled
from recvae.engine.batch import Batch
from recvae.engine.objectives import multinomial_log_likelihood

USERS, ITEMS, WIDTH = 7, 50, 16


@pytest.fixture(params=[1, 64, 2**19], ids=["an item a tile", "some", "all"])
def tiles(request, monkeypatch):
    monkeypatch.setitem(tiled.TILE_CELLS, "cpu", request.param)


def problem(scale=1.0):
    generator = torch.Generator().manual_seed(0)
    rows = sp.random(USERS, ITEMS, 0.2, format="csr", random_state=0, dtype=np.float32)
    rows.data = np.ceil(3 * rows.data)
    rows = sp.vstack([rows[:2], sp.csr_matrix((1, ITEMS), dtype=np.float32), rows[3:]], "csr")
    shapes = (USERS, WIDTH), (ITEMS, WIDTH), (ITEMS,)
    parts = [scale * torch.randn(shape, generator=generator) for shape in shapes]
    return [part.requires_grad_() for part in parts], Batch.of(rows, torch.device("cpu"))


def plain(hidden, weight, bias, targets):
    return multinomial_log_likelihood(linear(hidden, weight, bias), targets)


def gradients(values, parts):
    return torch.autograd.grad((values * torch.arange(1, USERS + 1)).sum(), parts)


@pytest.mark.usefixtures("tiles")
@pytest.mark.parametrize("scale", [0.1, 1.0, 5.0])
def test_values_and_gradients_are_those_of_the_plain_one(scale):
    parts, targets = problem(scale)
    expected = plain(*parts, targets)
    values = tiled.multinomial_log_likelihood(*parts, targets)
    torch.testing.assert_close(values, expected, rtol=1e-5, atol=1e-4)
    for own, other in zip(gradients(values, parts), gradients(expected, parts), strict=True):
        assert (own - other).norm() < 1e-5 * other.norm()


@pytest.mark.usefixtures("tiles")
def test_bfloat16_products_are_as_near_as_their_rounding():
    parts, targets = problem()
    expected = plain(*parts, targets)
    values = tiled.multinomial_log_likelihood(*parts, targets, torch.bfloat16)
    assert values.dtype == torch.float32
    torch.testing.assert_close(values, expected, rtol=0.01, atol=0.01)
    for own, other in zip(gradients(values, parts), gradients(expected, parts), strict=True):
        assert own.dtype == torch.float32
        assert (own - other).norm() < 0.02 * other.norm()


@pytest.mark.parametrize("number", [0, 1, 2])
def test_a_part_may_be_frozen(number):
    parts, targets = problem()
    expected = gradients(plain(*parts, targets), parts[number])
    for other in {0, 1, 2} - {number}:
        parts[other].requires_grad_(False)
    given = gradients(tiled.multinomial_log_likelihood(*parts, targets), parts[number])
    torch.testing.assert_close(given, expected, rtol=1e-4, atol=1e-4)


def test_large_logits_do_not_overflow():
    parts, targets = problem(40.0)
    values = tiled.multinomial_log_likelihood(*parts, targets)
    torch.testing.assert_close(values, plain(*parts, targets), rtol=1e-5, atol=0.1)
    assert all(gradient.isfinite().all() for gradient in gradients(values, parts))


def test_a_user_of_no_items_adds_nothing():
    (hidden, weight, bias), targets = problem()
    values = tiled.multinomial_log_likelihood(hidden, weight, bias, targets)
    assert values[2] == 0
    assert (torch.autograd.grad(values[2], hidden)[0] == 0).all()
