import pytest

import recvae as rv
from recvae.errors import OptionError
from recvae.models import MODELS


def test_every_model_is_known_by_its_name():
    assert set(MODELS) == {
        "als", "bpr", "ease", "edlae", "elsa", "ensemble", "item-knn", "lmf", "mult-dae",
        "mult-vae", "popularity", "rec-vae", "residual-vae", "vamp-vae",
    }  # fmt: skip
    for name, model in MODELS.items():
        assert type(rv.build_model(name, {})) is model
        assert model.name == name


def test_options_may_be_text():
    model = rv.build_model("als", {"factors": "32", "alpha": "2"})
    assert (model.factors, model.alpha) == (32, 2.0)


def test_a_mistyped_model():
    with pytest.raises(OptionError, match=r"no model 'mult_vae': did you mean 'mult-vae'\?"):
        rv.build_model("mult_vae", {})
    with pytest.raises(OptionError, match="no model None: known: als, "):
        rv.build_model(None)


def test_a_mistyped_option():
    with pytest.raises(OptionError, match=r"did you mean 'n_neighbors'\?"):
        rv.build_model("item-knn", {"neighbours": 3})
