"""The same seed gives the same weights, on one thread and on two."""

from collections.abc import Iterator

import numpy as np
import pytest
import scipy.sparse as sp
import torch

import recvae as rv
from recvae.models import MODELS

SMALL = {"latent": 8, "width": 16, "hidden": (16,), "n_components": 8, "rank": 8, "factors": 8}
OPTIONS = SMALL | {"epochs": 2, "iterations": 3, "device": "cpu"}
EXACT = ["mult-vae", "mult-dae", "vamp-vae", "als", "item-knn"]
NEARLY = ["residual-vae", "rec-vae", "elsa"]
"""Sums over users, in the gradients of layer normalization and of A, are split over the threads."""


@pytest.fixture
def threads() -> Iterator[None]:
    """Put back the number of torch's threads."""
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def data() -> rv.Interactions:
    """So many items that torch uses its threads."""
    matrix = sp.random(300, 2500, density=0.03, format="csr", random_state=0, dtype=np.float32)
    return rv.Interactions.from_matrix(matrix)


def fitted(name, data, n_threads):
    """The weights of a model, by name."""
    torch.set_num_threads(n_threads)
    known = MODELS[name].__dataclass_fields__
    options = {key: value for key, value in OPTIONS.items() if key in known}
    options |= {"n_threads": n_threads} if "n_threads" in known else {}
    return rv.build_model(name, options).fit(data).state()


@pytest.mark.parametrize("name", EXACT)
def test_one_thread_or_two(name, data, threads):
    one, two = fitted(name, data, 1), fitted(name, data, 2)
    assert {key for key in one if not torch.equal(one[key], two[key])} == set()


@pytest.mark.slow
@pytest.mark.parametrize("name", NEARLY)
def test_one_thread_or_two_but_for_rounding(name, data, threads):
    one, two, again = (fitted(name, data, n_threads) for n_threads in (1, 2, 2))
    for key in one:
        assert torch.equal(two[key], again[key])
        torch.testing.assert_close(one[key], two[key], rtol=1e-2, atol=1e-3)
