"""Tiny saved models, and clients of them."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from serving_client import client_of

import recvae as rv

N_ITEMS = 30


@pytest.fixture
def anyio_backend() -> str:
    """The loop that the tests marked with anyio run in."""
    return "asyncio"


@pytest.fixture(scope="session")
def data() -> rv.Interactions:
    """60 users and 30 items, numbered from 100; the first has no title."""
    matrix = sp.random(60, N_ITEMS, density=0.4, format="csr", random_state=0, dtype=np.float32)
    titles = [None, "Amélie (2001)", *(f"Film {n}" for n in range(2, N_ITEMS))]
    items = pd.DataFrame({"title": titles}, index=pd.RangeIndex(100, 100 + N_ITEMS, name="item"))
    return rv.Interactions(matrix, pd.DataFrame(index=pd.RangeIndex(60, name="user")), items)


@pytest.fixture(scope="session")
def vae(data) -> rv.MultVAE:
    """A fitted autoencoder that reads weights, of items with genres."""
    genres = pd.DataFrame({"genres": ["Drama", "War", "Drama|War"] * 10}, index=data.item_ids)
    small = {"hidden": (8,), "latent": 4, "epochs": 2, "batch_size": 10, "device": "cpu"}
    return rv.MultVAE(**small, input="counts").fit(data.with_item_info(genres))


@pytest.fixture
def folder(vae, tmp_path) -> Path:
    """The autoencoder, saved."""
    vae.save(tmp_path / "model")
    return tmp_path / "model"


@pytest.fixture
def served(folder):
    """Give a client of the saved autoencoder: `async with served() as client`."""
    return lambda **options: client_of(folder, **options)
