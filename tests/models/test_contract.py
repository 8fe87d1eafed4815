"""The contract suite on every model; a model's own test file has only what is its own."""

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp

import recvae as rv
from recvae.data.interactions import Interactions
from recvae.errors import DataError, NotFittedError
from recvae.models.registry import BUILT_IN
from recvae.testing import RecommenderContract
from recvae.testing.case import Case

NET = {"latent": 16, "batch_size": 10, "device": "cpu"}
QUICK = NET | {"epochs": 3, "learning_rate": 0.06}
SMALL = {
    "ensemble": {"latent": 16, "width": 32, "epochs": 3, "rank": 16, "factors": 8}
    | {"device": "cpu"},
    "ensemble-of": {"members": "ease,als", "seed": 0, "device": "cpu"},
    "residual-vae": NET | {"width": 32, "epochs": 5, "learning_rate": 0.01, "regularization": 5.0},
    "mult-vae": QUICK | {"hidden": (32,)},
    "mult-dae": QUICK | {"hidden": (32,)},
    "rec-vae": NET | {"width": 32, "epochs": 2, "learning_rate": 0.03},
    "vamp-vae": NET | {"hidden": (32,), "n_components": 20, "epochs": 10, "learning_rate": 0.03},
    "ease": {"regularization": 5.0},
    "edlae": {"regularization": 5.0},
    "sparse-edlae": {"regularization": 5.0, "n_neighbors": 12},
    "elsa": QUICK,
    "graph-ae": {"rank": 8},
    "als": {"factors": 8, "regularization": 1.0},
    "bpr": {"factors": 8, "learning_rate": 0.05, "iterations": 300},
    "lmf": {"factors": 8},
    "item-knn": {"n_neighbors": 12},
}


SLOW = ("ensemble", "rec-vae", "vamp-vae")
PERSONAL = [
    pytest.param(name, marks=pytest.mark.slow) if name in SLOW else name
    for name in BUILT_IN
    if name != "popularity"
]


def new(name):
    return rv.build_model(name, SMALL.get(name, {}))


class TestEveryModel(RecommenderContract):
    @pytest.fixture(scope="class", params=PERSONAL)
    @classmethod
    def case(cls, request):
        return Case(lambda: new(request.param))


class TestPopularity(RecommenderContract):
    personal = False

    @classmethod
    def new(cls):
        return rv.Popularity()


@pytest.fixture(scope="module")
def data():
    return Interactions.from_matrix(sp.random(30, 12, 0.4, "csr", np.float32, random_state=0))


def test_a_fit_that_refuses_the_users_leaves_no_model():
    users = pd.DataFrame(index=pd.Index([0.5, 1.5, 2.5]))
    items = pd.DataFrame(index=list("abc"))
    data = Interactions(sp.eye(3, format="csr", dtype=np.float32), users, items)
    model = rv.ImplicitBPR()
    with pytest.raises(DataError, match="user ids must be all integers or all strings"):
        model.fit(data)
    with pytest.raises(NotFittedError):
        model.similar_items([0])


def test_a_model_is_saved_with_the_options_it_was_fitted_with(tmp_path, data):
    model = new("mult-vae").fit(data)
    model.latent += 1
    model.save(tmp_path)
    assert rv.load_model(tmp_path).latent == model.latent - 1


def test_the_home_folder_may_be_named_by_its_sign(tmp_path, data, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    new("mult-vae").fit(data, checkpoints="~/kept").save("~/model")
    assert {path.name for path in tmp_path.iterdir()} == {"kept", "model"}
    assert rv.load_model("~/model").name == "mult-vae"
