"""What is ResidualEnsemble's own; the contract suite tests what it shares with all models."""

import re
from dataclasses import replace
from unittest.mock import Mock

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
import torch

import recvae as rv
from recvae.engine.batch import Batch
from recvae.errors import TrainingError
from recvae.models.contract.inputs import as_input
from recvae.models.families import costs
from recvae.models.families.pooling import log_proportions
from recvae.models.residual_vae import ResidualVAE

TRAIN = as_input(sp.random(60, 20, density=0.3, format="csr", random_state=0, dtype=np.float32))
SMALL = {"latent": 4, "width": 16, "epochs": 2, "rank": 4, "factors": 4, "device": "cpu"}


@pytest.fixture(scope="module")
def model():
    return rv.ResidualEnsemble(**SMALL).fit(TRAIN)


def vaes(model):
    return [member for name, member in model.members_.items() if name.startswith("vae")]


@pytest.fixture
def validation():
    liked = np.arange(20) % 2
    return rv.Holdout(
        fold_in=sp.csr_matrix([liked], dtype=np.float32),
        held_out=sp.csr_matrix([1 - liked], dtype=np.float32),
    )


def test_the_score_is_the_sum_of_the_log_probabilities(model):
    seen = Batch.of(TRAIN, torch.device("cpu"))
    expected = sum(vae.score(TRAIN) for vae in vaes(model))
    for member in (model.members_["elsa"], model.members_["als"]):
        expected = expected + log_proportions(member.score(TRAIN), seen)
    torch.testing.assert_close(model.score(TRAIN), expected)


def test_the_vaes_differ_in_their_seeds(model):
    first, second = vaes(model)
    assert not torch.allclose(first.net_.decoder.weight, second.net_.decoder.weight)
    assert (first.latent, first.width, first.epochs) == (second.latent, second.width, 2)


def test_the_linear_path_is_kept_once(model, tmp_path):
    inverses = [name for name in model.state() if name.endswith("linear.inverse")]
    assert inverses == ["vae0.linear.inverse"]
    parts = sum(member.n_parameters for member in model.members_.values())
    assert model.n_parameters == parts - 20 * 20
    model.save(tmp_path / "model")
    for one in (model, rv.load_model(tmp_path / "model")):
        first, second = (vae.net_.linear.inverse for vae in vaes(one))
        assert first.data_ptr() == second.data_ptr()
        torch.testing.assert_close(one.score(TRAIN), model.score(TRAIN))


def test_the_linear_path_is_solved_for_once(monkeypatch):
    solved, inverse = [], rv.EDLAE.inverse
    monkeypatch.setattr(
        rv.EDLAE, "inverse", lambda self, matrix: solved.append(self) or inverse(self, matrix)
    )
    rv.ResidualEnsemble(**SMALL, n_vaes=3).fit(TRAIN)
    assert len(solved) == 1


def plan(n_users, n_items, n_entries, minutes=None, **options):
    train = Mock(shape=(n_users, n_items), nnz=n_entries)
    return list(rv.ResidualEnsemble(**options).members_for(train, minutes))


def test_the_members_are_those_that_time_and_memory_allow(monkeypatch):
    monkeypatch.setattr(costs, "speed", lambda: 150.0)
    vaes, daes = ["elsa", "als", "vae0", "vae1"], ["sparse-edlae", "dae0", "dae1"]
    small, large, tail = (
        (5_000, 3_000, 575_000),
        (137_000, 20_000, 10_000_000),
        (29_858, 40_981, 810_128),
    )
    assert plan(*small) == vaes
    assert plan(*small, n_vaes=1) == vaes[:-1]
    assert plan(*small, minutes=3) == ["edlae", "elsa", "als", "mult-vae"]
    assert plan(*small, minutes=1) == ["edlae", "elsa", "als"]
    assert plan(2_000, 10_000, 100_000) == vaes
    assert plan(2_000, 10_000, 100_000, max_gigabytes=0.2) == daes
    assert plan(*large) == ["edlae", "elsa", "als"]
    assert plan(*large, minutes=300) == ["edlae", "elsa", "als", "mult-vae"]
    assert plan(*tail) == plan(*tail, minutes=600) == daes
    assert plan(*tail, minutes=8) == daes[:-1]
    assert plan(200_000, 1_000_000, 12_000_000) == daes[:-1]


def test_the_choice_and_what_it_takes_are_said(caplog):
    caplog.set_level("INFO")
    plan(29_858, 40_981, 810_128)
    expected = r"sparse-edlae, dae0, dae1, for 29,858 users and 40,981 items: about \d+ minutes"
    assert re.search(expected, caplog.text)


def test_members_for_long_tails_are_saved_and_loaded(tmp_path):
    model = rv.ResidualEnsemble(device="cpu", max_gigabytes=1e-9).fit(TRAIN)
    assert list(model.members_) == ["sparse-edlae", "dae0"]
    seen = Batch.of(TRAIN, torch.device("cpu"))
    linear = log_proportions(model.members_["sparse-edlae"].score(TRAIN), seen)
    torch.testing.assert_close(model.score(TRAIN), linear + model.members_["dae0"].score(TRAIN))
    model.save(tmp_path / "model")
    loaded = rv.load_model(tmp_path / "model")
    assert list(loaded.members_) == ["sparse-edlae", "dae0"]
    torch.testing.assert_close(loaded.score(TRAIN), model.score(TRAIN))
    assert loaded.encode(TRAIN)[0].shape == (60, 128)


@pytest.mark.parametrize("half_life", [None, 5.0])
@pytest.mark.parametrize("names", [("edlae", "elsa", "als", "mult-vae"), ("edlae", "elsa", "als")])
def test_a_loaded_plan_is_as_it_was_fitted(names, half_life, tmp_path, monkeypatch):
    monkeypatch.setattr(rv.ResidualEnsemble, "_plans", lambda *_: {names: costs.Cost(0, 0)})
    model = rv.ResidualEnsemble(epochs=1, rank=8, factors=4, half_life=half_life, device="cpu")
    model.fit(TRAIN).save(tmp_path)
    loaded = rv.load_model(tmp_path)
    assert (
        list(loaded.members_)
        == list(model.members_)
        == ["transitions"] * bool(half_life) + [*names]
    )
    np.testing.assert_array_equal(loaded.score(TRAIN), model.score(TRAIN))
    for one, other in zip(loaded.similar_items([0, 1]), model.similar_items([0, 1]), strict=True):
        np.testing.assert_array_equal(one, other)


def test_the_memory_is_that_of_all_members():
    members = rv.ResidualEnsemble(max_gigabytes=3.0).new_members().values()
    assert {one.max_gigabytes for one in members if hasattr(one, "max_gigabytes")} == {3.0}


@pytest.mark.parametrize("lost", ["vae0.linear", "vae1.encoder", ""])
def test_a_member_that_lost_tensors_is_not_loaded(lost, model, tmp_path, monkeypatch):
    state = {name: tensor for name, tensor in model.state().items() if not name.startswith(lost)}
    monkeypatch.setattr(model, "state", lambda: state)
    model.save(tmp_path / "model")
    with pytest.raises(rv.errors.ModelFileError, match="is damaged"):
        rv.load_model(tmp_path / "model")


def test_epochs_of_one_training_are_told(validation):
    told = []
    model = rv.ResidualEnsemble(**SMALL).fit(
        TRAIN, validation, on_epoch=lambda epoch, value: told.append((epoch, value))
    )
    assert [epoch for epoch, _ in told] == model.history_["epoch"].tolist()
    assert [value for _, value in told] == model.history_["ndcg@100"].tolist()


@pytest.mark.parametrize("interrupted", [1, 2])
def test_ctrl_c_after_an_epoch_keeps_the_vaes_so_far(interrupted, monkeypatch, tmp_path):
    trained, train = [], ResidualVAE.learn

    def pressed(self, *args):
        train(self, *args)
        trained.append(self)
        self.interrupted_ = len(trained) == interrupted

    monkeypatch.setattr(ResidualVAE, "learn", pressed)
    model = rv.ResidualEnsemble(**SMALL, n_vaes=3).fit(TRAIN)
    assert model.interrupted_
    assert vaes(model) == trained
    assert len(trained) == interrupted
    model.save(tmp_path / "model")
    loaded = rv.load_model(tmp_path / "model")
    assert len(vaes(loaded)) == interrupted
    assert not loaded.interrupted_


def test_ctrl_c_before_an_epoch_of_the_second_keeps_the_first(monkeypatch):
    started, prepare = [], ResidualVAE.prepare

    def pressed(self, *args):
        started.append(self)
        if len(started) == 2:
            raise KeyboardInterrupt
        prepare(self, *args)

    monkeypatch.setattr(ResidualVAE, "prepare", pressed)
    model = rv.ResidualEnsemble(**SMALL, n_vaes=3).fit(TRAIN)
    assert model.interrupted_
    assert vaes(model) == started[:1]
    assert model.score(TRAIN).isfinite().all()


def test_ctrl_c_in_the_first_member_keeps_that_one(monkeypatch):
    fit = rv.ELSA.fit

    def pressed(self, *args, **options):
        fit(self, *args, **options)
        self.interrupted_ = True
        return self

    monkeypatch.setattr(rv.ELSA, "fit", pressed)
    model = rv.ResidualEnsemble(**SMALL).fit(TRAIN)
    assert list(model.members_) == ["elsa"]
    assert model.interrupted_
    assert model.score(TRAIN).isfinite().all()


def test_ctrl_c_before_there_is_any_member(monkeypatch):
    monkeypatch.setattr(rv.ELSA, "fit", Mock(side_effect=KeyboardInterrupt))
    model = rv.ResidualEnsemble(**SMALL)
    with pytest.raises(KeyboardInterrupt):
        model.fit(TRAIN)
    with pytest.raises(rv.errors.NotFittedError):
        model.recommend(TRAIN)


def test_when_the_time_is_over_what_there_is_is_the_model(tmp_path):
    model = rv.ResidualEnsemble(device="cpu").fit(TRAIN, minutes=1e-9)
    assert list(model.members_) == ["edlae"]
    assert model.interrupted_
    model.save(tmp_path / "model")
    loaded = rv.load_model(tmp_path / "model")
    torch.testing.assert_close(loaded.score(TRAIN), model.score(TRAIN))
    with pytest.raises(rv.errors.OptionError):
        loaded.encode(TRAIN)


def test_a_loaded_member_is_a_model_of_its_own(model, tmp_path):
    model.save(tmp_path / "all")
    loaded = rv.load_model(tmp_path / "all")
    for number, member in enumerate(loaded.members_.values()):
        member.save(tmp_path / str(number))
        alone = rv.load_model(tmp_path / str(number))
        np.testing.assert_array_equal(alone.recommend(TRAIN, 5)[0], member.recommend(TRAIN, 5)[0])
    assert vaes(loaded)[0].history_.equals(model.history_)


def test_members_know_the_items_by_the_same_ids():
    data = replace(
        rv.Interactions.from_matrix(TRAIN),
        items=pd.DataFrame(index=pd.Index([f"item {n}" for n in range(20)], name="item")),
    )
    model = rv.ResidualEnsemble(**SMALL, n_vaes=1).fit(data)
    assert len(model.members_) == 3
    for member in model.members_.values():
        assert member.item_ids_.equals(data.item_ids)
        assert member.fingerprint_ == data.fingerprint()


def test_a_member_can_learn_from_other_data():
    fewer = TRAIN[:, :-3]
    vae = rv.ResidualEnsemble(**SMALL, n_vaes=1).fit(TRAIN).members_["vae0"].fit(fewer)
    fresh = replace(vae).fit(fewer)
    torch.testing.assert_close(vae.score(fewer), fresh.score(fewer), rtol=0, atol=0)


def test_a_member_that_harms_the_pool_is_left_out(monkeypatch, caplog):
    caplog.set_level("INFO")
    rng = np.random.default_rng(0)
    tastes = np.arange(20) % 2 == rng.integers(0, 2, 80)[:, None]
    users = sp.csr_matrix(rng.random((80, 20)) < np.where(tastes, 0.6, 0.05), dtype=np.float32)
    split = rv.split_users(rv.Interactions.from_matrix(users), n_validation=30, n_test=5)
    whole = rv.ResidualEnsemble(**SMALL, n_vaes=1).fit(split.train, split.validation)
    assert list(whole.members_) == ["elsa", "als", "vae0"]
    score = rv.ImplicitALS.score
    worst = lambda self, *args: (-20 * score(self, *args)).exp()  # noqa: E731
    monkeypatch.setattr(rv.ImplicitALS, "score", worst)
    model = rv.ResidualEnsemble(**SMALL, n_vaes=1).fit(split.train, split.validation)
    assert list(model.members_) == ["elsa", "vae0"]
    assert "leaves als out" in caplog.text


MANY = sp.vstack([TRAIN] * 7, format="csr")


@pytest.fixture
def told(monkeypatch):
    """How many users each VAE is fitted on, and how many validate."""
    told, fit = [], ResidualVAE.fit

    def hear(self, train, validation=None, *rest, **others):
        told.append((train.shape[0], validation and validation.user_ids.nunique()))
        return fit(self, train, validation, *rest, **others)

    monkeypatch.setattr(ResidualVAE, "fit", hear)
    return told


def test_without_validation_users_it_takes_some_then_it_learns_from_all(told):
    model = rv.ResidualEnsemble(**SMALL).fit(MANY, keep_data=True)
    assert told == [(378, 42), (378, 42), (420, None), (420, None)]
    assert model.n_users_ == 420
    np.testing.assert_array_equal(model.item_counts_, np.bincount(MANY.indices, minlength=20))
    assert "ndcg@100" in model.history_
    for member in model.members_.values():
        assert member.facts_.data.shape == (420, 20)


def test_where_the_time_is_given_it_learns_once(told):
    rv.ResidualEnsemble(**SMALL).fit(MANY, minutes=60)
    assert told == [(378, 42), (378, 42)]


@pytest.mark.parametrize("number", [3, 4])
def test_ctrl_c_while_it_learns_from_all_keeps_what_there_was(number, told, monkeypatch, tmp_path):
    prepare = ResidualVAE.prepare

    def pressed(self, *args):
        if len(told) == number:
            raise KeyboardInterrupt
        prepare(self, *args)

    whole = rv.ResidualEnsemble(**SMALL).fit(MANY)
    told.clear()
    with monkeypatch.context() as patch:
        patch.setattr(ResidualVAE, "prepare", pressed)
        model = rv.ResidualEnsemble(**SMALL).fit(MANY, checkpoints=tmp_path)
    assert model.interrupted_
    assert list(model.members_) == ["elsa", "als", "vae0", "vae1"]
    assert all(vae.n_users_ == 420 for vae in vaes(model))
    assert model.score(TRAIN).isfinite().all()
    resumed = rv.ResidualEnsemble(**SMALL).fit(MANY, checkpoints=tmp_path)
    assert torch.equal(resumed.score(TRAIN), whole.score(TRAIN))


def test_what_was_chosen_is_fitted_anew_on_all(validation, tmp_path):
    model = rv.ResidualEnsemble(**SMALL | {"epochs": 6}).fit(TRAIN, validation)
    best = {
        name: one.history_["ndcg@100"].argmax() + 1
        for name, one in model.members_.items()
        if one.history_ is not None
    }
    model.members_.pop("als")  # as if it had been left out
    again = model.refit(MANY)
    assert list(again.members_) == ["elsa", "vae0", "vae1"]
    assert {name: one.epochs for name, one in again.members_.items()} == best
    assert [len(one.history_) for one in again.members_.values()] == list(best.values())
    assert "ndcg@100" not in again.history_
    model.save(tmp_path / "model")
    loaded = rv.load_model(tmp_path / "model").as_chosen()  # only the leader's history is saved
    epochs = {name: one.epochs for name, one in loaded.chosen_.items()}
    assert epochs == {"elsa": 20, "vae0": best["vae0"], "vae1": best["vae0"]}


def test_an_update_learns_those_too_who_validated(monkeypatch):
    monkeypatch.setattr(rv.ResidualEnsemble, "members_for", lambda *_: {"edlae": rv.EDLAE()})
    many = rv.Interactions.from_matrix(MANY)
    model = rv.ResidualEnsemble().fit(many, keep_data=True, minutes=60)
    whole = rv.EDLAE().fit(many).score(TRAIN)
    assert not torch.allclose(model.members_["edlae"].score(TRAIN), whole, rtol=1e-3)
    model.update(rv.read_interactions({"user": [420], "item": [3]}))
    changed = sp.vstack([many.matrix, sp.csr_matrix(([1.0], ([0], [3])), shape=(1, 20))])
    expected = rv.EDLAE().fit(changed.tocsr()).score(TRAIN)
    torch.testing.assert_close(model.members_["edlae"].score(TRAIN), expected)


def test_where_memory_runs_out_for_all_users_the_first_fit_stays(told, monkeypatch, caplog):
    prepare = ResidualVAE.prepare

    def short(self, *args):
        if len(told) == 3:
            raise TrainingError("memory ran out")
        prepare(self, *args)

    monkeypatch.setattr(ResidualVAE, "prepare", short)
    model = rv.ResidualEnsemble(**SMALL).fit(MANY)
    assert not model.interrupted_
    assert "was not fitted to the users who validate: memory ran out" in caplog.text
    assert model.score(TRAIN).isfinite().all()


def test_members_share_no_linear_path_with_models_of_other_users(tmp_path):
    members = {"pool": rv.ResidualEnsemble(**SMALL), "vae": ResidualVAE(latent=4, epochs=2)}
    model = rv.Ensemble(members=members).fit(MANY)
    model.save(tmp_path)
    torch.testing.assert_close(rv.load_model(tmp_path).score(TRAIN), model.score(TRAIN))


def test_what_was_chosen_is_for_one_fit(validation):
    again = rv.ResidualEnsemble(**SMALL).fit(TRAIN, validation).refit(TRAIN)
    expected = again.score(TRAIN)
    other = again.set_params(latent=6).fit(TRAIN)
    assert {vae.latent for vae in vaes(other)} == {6}
    assert other.score(TRAIN).shape == expected.shape
