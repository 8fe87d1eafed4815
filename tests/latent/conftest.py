"""Tiny data of three tastes, and one model of each kind, fitted when it is asked for."""

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp

import recvae as rv

USERS, ITEMS = 90, 24
NET = {
    "batch_size": 30,
    "learning_rate": 0.01,
    "rate_schedule": "constant",
    "epochs": 15,
    "device": "cpu",
}


@pytest.fixture(scope="session")
def matrix():
    rng = np.random.default_rng(0)
    alike = np.arange(ITEMS) % 3 == rng.integers(0, 3, USERS)[:, None]
    rows = sp.csr_matrix((rng.random((USERS, ITEMS)) < np.where(alike, 0.8, 0.1)).astype("f4"))
    return rows[np.diff(rows.indptr) > 2]


@pytest.fixture(scope="session")
def models(matrix):
    some = {
        "mult-vae": rv.MultVAE(hidden=(16,), latent=4, **NET),
        "mult-dae": rv.MultDAE(hidden=(), latent=4, **NET),
        "rec-vae": rv.RecVAE(width=16, latent=4, **NET),
        "vamp-vae": rv.VampVAE(hidden=(16,), latent=4, n_components=5, **NET),
        "residual-vae": rv.ResidualVAE(width=16, latent=4, regularization=5.0, **NET),
        "elsa": rv.ELSA(latent=4, **NET),
        "ensemble": rv.ResidualEnsemble(
            latent=4, width=16, epochs=3, rank=4, factors=4, device="cpu"
        ),
        "ease": rv.EASE(regularization=5.0),
        "popularity": rv.Popularity(),
    }

    class Fitted(dict[str, rv.models.Recommender]):
        def __missing__(self, name):
            self[name] = some[name].fit(matrix)
            return self[name]

    return Fitted()


@pytest.fixture(scope="session")
def cold(matrix):
    """Histories with three more items, which nobody has, and a model that scores them by kind."""
    histories = sp.csr_matrix(matrix)
    histories.resize(len(matrix.indptr) - 1, ITEMS + 3)
    data = rv.Interactions.from_matrix(histories)
    kinds = pd.DataFrame({"kind": [f"kind {item % 3}" for item in data.item_ids]}, data.item_ids)
    model = rv.MultVAE(hidden=(), latent=8, **NET)
    return histories, model.fit(data.with_item_info(kinds), item_features=["kind"])


@pytest.fixture
def vae(models):
    return models["mult-vae"]
