"""Updates: exact where there is a closed form, warm where there is a net, whole or not there."""

from itertools import cycle

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
import torch

import recvae as rv
from recvae.data.interactions import Interactions
from recvae.errors import OptionError
from recvae.models.families import linear, linear_algebra
from recvae.nets.autoencoder import Autoencoder
from recvae.nets.growing import grow

USERS, ITEMS = 40, 30
CLOSED = {
    "ease": ("ease", {"regularization": 5.0}),
    "edlae": ("edlae", {"regularization": 5.0}),
    "edlae of even users": ("edlae", {"regularization": 5.0, "user_power": 0.0, "dropout": 0.0}),
}


def table(rng, users, items, density=0.3):
    """Random interactions of users and items with these numbers, at least one."""
    liked = rng.random((len(users), len(items))) < density
    liked[0, 0] = True
    return Interactions(
        sp.csr_matrix(liked.astype(np.float32)),
        pd.DataFrame(index=pd.Index([f"user {n}" for n in users], name="user")),
        pd.DataFrame(index=pd.Index([f"item {n}" for n in items], name="item")),
    )


def updated(name, options, rng, n_updates=4):
    """A model after random updates: of old and new users, with new items, and users who leave."""
    model = rv.build_model(name, options)
    model.fit(table(rng, np.arange(USERS), np.arange(ITEMS)), keep_data=True)
    for _ in range(n_updates):
        users = rng.choice(USERS + 20, rng.integers(1, 4), replace=False)
        items = rng.choice(ITEMS + 10, rng.integers(1, 6), replace=False)
        gone = rng.choice(model.facts_.data.user_ids, rng.integers(0, 2), replace=False)
        model.update(table(rng, users, items), remove_users=gone)
    return model


@pytest.mark.slow
def test_sequences_of_updates_are_fits_of_all_data(monkeypatch):
    monkeypatch.setattr(linear, "MUCH", 0.1)
    for seed, (name, options) in zip(range(120), cycle(CLOSED.values()), strict=False):
        model = updated(name, options, np.random.default_rng(seed))
        fitted = rv.build_model(name, options).fit(model.facts_.data)
        assert float((model.weights_ - fitted.weights_).abs().max()) < 1e-5, f"sequence {seed}"
        np.testing.assert_array_equal(model.item_counts_, fitted.item_counts_)
        assert model.fingerprint_ == fitted.fingerprint_


@pytest.mark.parametrize("name", ["sparse-edlae", "item-knn", "popularity"])
def test_what_is_fitted_anew_is_a_fit_of_all_data(name):
    model = updated(name, {}, np.random.default_rng(0))
    fitted = rv.build_model(name, {}).fit(model.facts_.data)
    histories = model.facts_.data.matrix
    np.testing.assert_allclose(model.score(histories), fitted.score(histories), atol=1e-5)


@pytest.mark.parametrize(("much", "fits"), [(0.1, 0), (1e9, 4)])
def test_small_changes_are_added_large_ones_are_inverted_anew(much, fits, monkeypatch):
    monkeypatch.setattr(linear, "MUCH", much)
    inverted = []
    anew = linear.inverse_
    monkeypatch.setattr(linear, "inverse_", lambda matrix: inverted.append(1) or anew(matrix))
    updated("ease", CLOSED["ease"][1], np.random.default_rng(0))
    assert sum(inverted) == 1 + fits


def test_an_update_that_lost_its_digits_is_made_anew(monkeypatch):
    monkeypatch.setattr(linear, "MUCH", 0.1)
    add = linear_algebra.add_rows_
    worse = lambda inverse, *change: add(inverse, *change).mul_(1 + 1e-4)  # noqa: E731
    monkeypatch.setattr(linear, "add_rows_", worse)
    model = updated("ease", CLOSED["ease"][1], np.random.default_rng(0))
    fitted = rv.EASE(regularization=5.0).fit(model.facts_.data)
    torch.testing.assert_close(model.weights_, fitted.weights_)


def test_the_error_of_an_inverse_is_measured():
    rng = np.random.default_rng(0)
    rows = rng.standard_normal((300, 50))
    matrix = rows.T @ rows + np.eye(50)
    inverse = np.linalg.inv(matrix)
    for error in (1e-3, 1e-5):
        wrong = inverse + error * np.linalg.norm(inverse) / 50 * rng.standard_normal((50, 50))
        found = linear_algebra.error_of(torch.from_numpy(wrong).float(), matrix.__matmul__)
        assert error / 2 < found < 2 * error


def test_a_loaded_model_is_updated_like_the_one_that_was_saved(tmp_path):
    rng = np.random.default_rng(0)
    model = updated("edlae", CLOSED["edlae"][1], rng)
    model.save(tmp_path)
    new = table(rng, [3, 99], [2, 5, 98])
    loaded = rv.load_model(tmp_path).update(new)
    torch.testing.assert_close(loaded.weights_, model.update(new).weights_)


def test_nothing_more_is_saved_of_models_that_are_not_updated(tmp_path):
    data = table(np.random.default_rng(0), np.arange(USERS), np.arange(ITEMS))
    model = rv.EASE().fit(data)
    assert list(model.state()) == ["weights"]
    assert model.facts_.data is None
    model.save(tmp_path)
    assert not list(tmp_path.glob("users*"))


def test_new_items_of_a_net_begin_like_those_they_are_liked_with(monkeypatch):
    monkeypatch.setattr(rv.MultVAE, "kept", 1.0)
    rng = np.random.default_rng(0)
    data = table(rng, np.arange(USERS), np.arange(ITEMS))
    model = rv.MultVAE(hidden=(8,), latent=4, epochs=2, learning_rate=1e-30, device="cpu")
    model.fit(data, keep_data=True)
    weights = {name: one.clone() for name, one in model.state().items()}
    twin = pd.DataFrame({"user": data.user_ids[data.rows[data.matrix.indices == 3]]})
    model.update(rv.read_interactions(twin.assign(item="a twin")))
    shared = torch.from_numpy((data.matrix[:, [3]].T @ data.matrix).toarray()[0])
    for name in ("input.weight", "decoder.1.weight", "decoder.1.bias"):
        old, new = weights[name], model.state()[name]
        torch.testing.assert_close(new[:ITEMS], old)
        torch.testing.assert_close(new[ITEMS], shared @ old / shared.sum())


def test_a_net_that_grows_goes_back_a_part_of_the_way_to_where_nets_begin():
    def net(n_items, seed):
        made = Autoencoder(n_items, (8,), 4, dropout=0.5, variational=True)
        made.initialize(torch.Generator().manual_seed(seed))
        return made

    known, drawn, grown = net(5, 0), net(5, 1), net(5, 1)
    grow(known, grown, sp.csr_matrix((3, 5), dtype=np.float32), 0.75)
    for old, new, now in zip(*(one.parameters() for one in (known, drawn, grown)), strict=True):
        torch.testing.assert_close(now, 0.75 * old + 0.25 * new)


def test_a_vamp_vae_keeps_all_of_its_weights():
    data = table(np.random.default_rng(0), np.arange(USERS), np.arange(ITEMS))
    model = rv.VampVAE(hidden=(8,), latent=4, n_components=3, learning_rate=1e-30, device="cpu")
    model.fit(data, keep_data=True)
    weights = {name: one.clone() for name, one in model.state().items()}
    model.update(table(np.random.default_rng(1), np.arange(USERS), np.arange(ITEMS)))
    for name, old in weights.items():
        torch.testing.assert_close(model.state()[name], old)


def test_the_less_is_new_the_less_an_update_of_a_net_takes(monkeypatch):
    data = table(np.random.default_rng(0), np.arange(400), np.arange(ITEMS))
    known = data.select_users(np.arange(300))
    trained, terms = [], rv.MultVAE.loss_terms

    def noted(self, net, n_batches, noise, batch, step):
        trained.append(len(batch))
        return terms(self, net, n_batches, noise, batch, step)

    monkeypatch.setattr(rv.MultVAE, "loss_terms", noted)
    for n_new, expected in ((2, 20), (10, 100), (100, 400)):
        model = rv.MultVAE(hidden=(8,), latent=4, epochs=1, batch_size=20, device="cpu")
        model.fit(known, keep_data=True)
        trained.clear()
        model.update(data.select_users(np.arange(400 - n_new, 400)))
        assert sum(trained) == expected


def test_ctrl_c_leaves_a_net_as_it_was(monkeypatch):
    data = table(np.random.default_rng(0), np.arange(USERS), np.arange(ITEMS))
    model = rv.MultVAE(hidden=(8,), latent=4, epochs=30, device="cpu").fit(data, keep_data=True)
    weights = {name: one.clone() for name, one in model.state().items()}
    losses, terms = [], rv.MultVAE.loss_terms

    def interrupted(self, *batch):
        losses.append(1)
        if len(losses) > 4:
            raise KeyboardInterrupt
        return terms(self, *batch)

    monkeypatch.setattr(rv.MultVAE, "loss_terms", interrupted)
    with pytest.raises(KeyboardInterrupt):
        model.update(table(np.random.default_rng(1), [1, 99], [2, 98]))
    assert len(model.items_) == ITEMS
    assert all(torch.equal(one, weights[name]) for name, one in model.state().items())


def test_shards_are_not_kept(tmp_path):
    pd.DataFrame({"user": [1, 2], "item": [3, 4]}).to_parquet(tmp_path / "table.parquet")
    rv.shard_table(tmp_path / "table.parquet", tmp_path / "shards")
    with pytest.raises(OptionError, match="leave out keep_data"):
        rv.Popularity().fit(rv.read_shards(tmp_path / "shards"), keep_data=True)


def test_a_bare_matrix_is_updated_by_another():
    known = sp.csr_matrix(np.eye(4, dtype=np.float32))
    new = sp.csr_matrix(np.ones((6, 5), np.float32))
    model = rv.EASE().fit(known, keep_data=True).update(new)
    assert (model.n_users_, list(model.item_ids_)) == (6, [0, 1, 2, 3, 4])
    np.testing.assert_array_equal(model.item_counts_, [6] * 5)


def test_counts_are_asked_for_where_they_are_read():
    data = rv.read_interactions({"user": [1, 2], "item": [1, 2], "n": [3, 4]}, value="n")
    model = rv.ItemKNN(input="counts").fit(data, keep_data=True)
    with pytest.warns(rv.models.MissingWeightsWarning, match="reads weights"):
        model.update(rv.read_interactions({"user": [1], "item": [2]}))
