"""What is Ensemble's own; the contract suite tests what it shares with all models."""

from dataclasses import replace

import numpy as np
import pytest
import scipy.sparse as sp
import torch

import recvae as rv
from recvae import options
from recvae.engine.batch import Batch
from recvae.errors import DataError, OptionError
from recvae.models.contract.inputs import as_input
from recvae.models.families.pooling import log_proportions

CPU = torch.device("cpu")
TRAIN = as_input(sp.random(60, 20, density=0.3, format="csr", random_state=0, dtype=np.float32))
NET = {"latent": 4, "epochs": 2, "batch_size": 20, "device": "cpu"}
VAE = rv.MultVAE(hidden=(8,), **NET)
RESIDUAL = {"width": 8, "regularization": 5.0, **NET}


def test_the_score_is_the_sum_of_the_log_probabilities():
    model = rv.Ensemble(members=[rv.EASE(), VAE, rv.ItemKNN()]).fit(TRAIN)
    assert list(model.members_) == ["ease", "mult-vae", "item-knn"]
    alone = [member.fit(TRAIN).score(TRAIN) for member in (rv.EASE(), VAE, rv.ItemKNN())]
    seen = Batch.of(TRAIN, CPU)
    expected = log_proportions(alone[0], seen) + alone[1] + log_proportions(alone[2], seen)
    torch.testing.assert_close(model.score(TRAIN), expected)


class Louder(rv.Ensemble):
    """The votes of its members are 1, 2, 3, ..."""

    def votes(self, name):
        return 1 + list(self.members_).index(name)


@pytest.mark.parametrize(
    "members", [[VAE, rv.ItemKNN(), replace(VAE, seed=1), rv.SparseEDLAE()], [VAE, VAE]]
)
def test_inner_products_and_sparse_scores_add_up_to_the_score(members):
    model = Louder(members=members).fit(TRAIN)
    products = model.products()
    scores = products.users(TRAIN, None) @ products.items.T + products.biases
    if products.extra is not None:
        scores += torch.from_numpy(products.extra(TRAIN).toarray())
    unseen = torch.from_numpy(TRAIN.toarray() == 0)
    torch.testing.assert_close(scores[unseen], model.score(TRAIN)[unseen], rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(
    "members", [[VAE, rv.EASE()], [VAE, rv.ELSA(latent=4)], [rv.ItemKNN(), rv.SparseEDLAE()]]
)
def test_other_pools_are_no_inner_products(members):
    assert rv.Ensemble(members=members).fit(TRAIN).products() is None


def test_members_are_named_and_stay_as_they_are():
    ease = rv.EASE()
    model = rv.Ensemble(members={"light": ease, "heavy": rv.EASE(regularization=900.0)}).fit(TRAIN)
    assert list(model.members_) == ["light", "heavy"]
    with pytest.raises(rv.errors.NotFittedError):
        ease.recommend(TRAIN)
    twice = rv.Ensemble(members=[rv.EASE(), rv.EASE(), rv.EDLAE()])
    assert list(twice.new_members()) == ["ease", "ease-2", "edlae"]


def test_members_may_be_text_and_come_back_from_a_folder(tmp_path):
    model = rv.build_model("ensemble-of", {"members": "ease, als", "seed": "3"}).fit(TRAIN)
    model.save(tmp_path)
    loaded = rv.load_model(tmp_path)
    assert options.values(loaded) == options.values(model) | {"device": "auto"}
    np.testing.assert_array_equal(loaded.recommend(TRAIN, 5)[1], model.recommend(TRAIN, 5)[1])
    spec = {"model": "als", "factors": 7}
    members = rv.build_model("ensemble-of", {"members": {"a": spec, "b": "ease"}}).new_members()
    assert members["a"].factors == 7


def test_a_seed_and_a_device_are_those_of_all_members():
    given = rv.Ensemble(members=[VAE, rv.ImplicitALS(seed=5), rv.EASE()])
    assert [m.seed for m in list(given.new_members().values())[:2]] == [0, 5]
    given.seed, given.device = 9, "meta"
    vae, als, _ = given.new_members().values()
    assert (vae.seed, als.seed, vae.device) == (9, 9, "meta")
    assert VAE.device == "cpu"


def test_the_member_whose_codes_say_most_leads():
    first = rv.ELSA(**NET)
    model = rv.Ensemble(members=[rv.EASE(), first, VAE]).fit(TRAIN)
    np.testing.assert_array_equal(model.encode(TRAIN)[0], VAE.fit(TRAIN).encode(TRAIN)[0])
    assert model.history_ is model.members_["mult-vae"].history_
    model = rv.Ensemble(members=[rv.EASE(), first]).fit(TRAIN)
    np.testing.assert_array_equal(model.encode(TRAIN)[0], first.fit(TRAIN).encode(TRAIN)[0])


def test_equal_linear_paths_are_solved_for_and_saved_once(monkeypatch, tmp_path):
    solved, inverse = [], rv.EDLAE.inverse
    monkeypatch.setattr(
        rv.EDLAE, "inverse", lambda self, matrix: solved.append(self) or inverse(self, matrix)
    )
    one, other = rv.ResidualVAE(**RESIDUAL), rv.ResidualVAE(**RESIDUAL | {"regularization": 9.0})
    pair = rv.Ensemble(members=[rv.ResidualVAE(**RESIDUAL, seed=4), rv.EASE()])
    model = rv.Ensemble(members={"a": one, "b": other, "pair": pair, "c": one}).fit(TRAIN)
    assert len(solved) == 2
    saved = [name for name in model.state() if name.endswith("inverse")]
    assert saved == ["a.linear.inverse", "b.linear.inverse"]
    model.save(tmp_path)
    torch.testing.assert_close(rv.load_model(tmp_path).score(TRAIN), model.score(TRAIN))


def test_ctrl_c_leaves_no_ensemble_without_all_its_members(monkeypatch):
    def pressed(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(rv.EASE, "learn", pressed)
    model = rv.Ensemble(members=[rv.ItemKNN(), rv.EASE()])
    with pytest.raises(KeyboardInterrupt):
        model.fit(TRAIN)
    with pytest.raises(rv.errors.NotFittedError):
        model.recommend(TRAIN)


def test_when_the_time_is_over_there_are_all_members():
    model = rv.Ensemble(members=[VAE, rv.EASE(), replace(VAE, seed=1)]).fit(TRAIN, minutes=1e-9)
    assert model.interrupted_
    assert list(model.members_) == ["mult-vae", "ease", "mult-vae-2"]
    assert [len(model.members_[name].history_) for name in ("mult-vae", "mult-vae-2")] == [1, 1]


def test_ctrl_c_ends_an_update_at_the_member_that_it_met(monkeypatch):
    model = rv.Ensemble(members=[VAE, replace(VAE, seed=1)]).fit(TRAIN, keep_data=True)
    updated = []

    def cut_short(self, *_):
        updated.append(self.seed)
        self.interrupted_ = True

    monkeypatch.setattr(rv.MultVAE, "relearn", cut_short)
    with pytest.raises(KeyboardInterrupt):
        model.update(remove_users=[3])
    assert updated == [0]
    assert not any(member.interrupted_ for member in model.members_.values())


def test_an_ensemble_whose_time_was_over_is_updated_within_another():
    inner = rv.Ensemble(members=[rv.EASE(), VAE])
    model = rv.Ensemble(members={"inner": inner, "als": rv.ImplicitALS(factors=2)})
    model.fit(TRAIN, keep_data=True)
    model.members_["inner"].interrupted_ = True
    assert model.update(remove_users=[3]).n_users_ == 59


def test_what_a_member_can_not_the_ensemble_can_not(tmp_path):
    model = rv.Ensemble(members=[rv.EASE(), rv.Popularity()]).fit(TRAIN)
    with pytest.raises(OptionError, match="Ensemble has no latent space"):
        model.encode(TRAIN)
    with pytest.raises(OptionError, match="popularity can't be exported"):
        rv.export_onnx(model, tmp_path / "model.onnx")
    assert model.similar_items([0], 3)[0].shape == (1, 3)
    with pytest.raises(OptionError, match="no notion of similar items"):
        rv.Ensemble(members=["popularity", "popularity"]).fit(TRAIN).similar_items([0])


@pytest.mark.parametrize(
    ("members", "said"),
    [
        ([], "2 members or more"),
        ([rv.EASE()], "2 members or more"),
        ("ease,eese", "did you mean 'ease'"),
        ([rv.EASE(), rv.ImplicitBPR()], "bpr knows only the users"),
        ([rv.EASE(), 3], "3 is no model"),
        ({"a.b": rv.EASE(), "c": rv.EASE()}, r"can't have a dot.*: a.b"),
        ({"cold_items": rv.EASE(), "c": rv.EASE()}, r"one of \(.*\): cold_items"),
        ([rv.EASE(), {"model": "als", "factor": 3}], "did you mean 'factors'"),
    ],
)
def test_members_that_make_no_ensemble(members, said):
    with pytest.raises(OptionError, match=said):
        rv.Ensemble(members=members).fit(TRAIN)


def test_an_option_of_a_member_is_checked_too():
    with pytest.raises(OptionError, match="regularization"):
        rv.Ensemble(members=[rv.EASE(regularization=-1.0), rv.EASE()]).fit(TRAIN)
    with pytest.raises(DataError, match="no interaction"):
        rv.Ensemble(members="ease,als").fit(sp.csr_matrix((3, 3)))
