import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
import torch

import recvae as rv
from recvae.errors import DataError, OptionError
from recvae.models.contract.cold_items import RIDGE, ColdItems

TASTES, PER_TASTE = 4, 12


@pytest.fixture(scope="module")
def data():
    """Users of four tastes, items of four kinds; the last item of each kind nobody has."""
    rng = np.random.default_rng(0)
    kinds = np.tile(np.arange(TASTES), PER_TASTE)
    liking = np.where(kinds == np.arange(200)[:, None] % TASTES, 0.6, 0.05)
    liked = rng.random(liking.shape) < liking
    liked[:, -TASTES:] = False
    items = pd.DataFrame({"kind": [f"kind {kind}" for kind in kinds]})
    return rv.Interactions(
        sp.csr_matrix(liked.astype(np.float32)),
        pd.DataFrame(index=pd.RangeIndex(200, name="user")),
        items.rename_axis("item"),
    )


@pytest.fixture(scope="module")
def model(data):
    return rv.EASE(regularization=10).fit(data, item_features=["kind"])


def test_a_cold_item_is_ranked_for_those_who_like_its_kind(model, data):
    cold = np.arange(data.shape[1] - TASTES, data.shape[1])
    ids, _ = model.recommend(data.matrix, 1, allow=cold)
    assert (ids[:, 0] % TASTES == np.arange(200) % TASTES).mean() > 0.98  # some like little


def test_known_items_keep_their_scores(model, data):
    plain = rv.EASE(regularization=10).fit(data)
    known = np.arange(data.shape[1] - TASTES)
    for ours, theirs in zip(
        model.recommend(data.matrix, 9, allow=known),
        plain.recommend(data.matrix, 9, allow=known),
        strict=True,
    ):
        np.testing.assert_array_equal(ours, theirs)


def test_tables_say_what_is_cold(model, data):
    table = model.recommend_table(pd.DataFrame({"user": ["me"], "item": [3]}), k=data.shape[1] - 1)
    assert table["cold"].tolist() == (table["item"] >= data.shape[1] - TASTES).tolist()


def test_the_regression_is_that_of_the_normal_equations():
    """Exact with few features; against plain NumPy, and each item left out one by one."""
    rng = np.random.default_rng(1)
    features = sp.csr_matrix(rng.random((30, 6)).astype(np.float32))
    counts = np.append(np.ones(25, int), np.zeros(5, int))
    scores = rng.random((7, 30)).astype(np.float32)
    nobody = sp.csr_matrix((7, 30), dtype=np.float32)
    plain = ColdItems.learn(
        features, counts, lambda *_: _tensor(scores), rv.Holdout(nobody + _one(7, 30), nobody)
    )

    def expected(known, targets, asked):
        centred = features.toarray()[known] - features.toarray()[:25].mean(axis=0)
        gram = centred.T @ centred + RIDGE * np.eye(6)
        weights = np.linalg.solve(gram, centred.T @ targets.T)
        return (features.toarray()[asked] - features.toarray()[:25].mean(axis=0)) @ weights

    known = np.arange(25)
    standard = scores[:, :25] - scores[:, :25].mean(axis=1, keepdims=True)
    standard /= standard.std(axis=1, keepdims=True)
    alone = ColdItems(**{**vars(plain), "weight": 0.0, "spread": 1.0})
    filled = alone.fill_(_tensor(scores), nobody + _one(7, 30)).numpy()[:, 25:]
    mean, std = scores[:, :25].mean(axis=1), scores[:, :25].std(axis=1)
    np.testing.assert_allclose(
        (filled - mean[:, None]) / std[:, None],
        expected(known, standard, slice(25, 30)).T,
        atol=1e-4,
    )
    left_out = alone.without_itself(standard)[:, 3]
    others = np.delete(known, 3)
    # Without the item its users' mean is another; of a mean that stays, the rest is exact.
    assert np.corrcoef(left_out, expected(others, standard[:, others], 3))[0, 1] > 0.99


def test_many_features_are_exact_in_their_main_directions():
    rng = np.random.default_rng(2)
    tastes = rng.standard_normal((900, 5)).astype(np.float32)
    noise = 0.01 * rng.standard_normal((900, 700)).astype(np.float32)
    made = tastes @ rng.standard_normal((5, 700)).astype(np.float32) + noise
    lengths = np.linalg.norm(made, axis=1, keepdims=True)
    features, scores = sp.csr_matrix(made / lengths), (tastes / lengths)[:, :3].T.copy()
    nobody = sp.csr_matrix((3, 900), dtype=np.float32)
    counts = np.append(np.ones(800, int), np.zeros(100, int))
    cold = ColdItems.learn(
        features, counts, lambda *_: _tensor(scores), rv.Holdout(nobody + _one(3, 900), nobody)
    )
    cold = ColdItems(**{**vars(cold), "weight": 0.0, "spread": 1.0})
    filled = cold.fill_(_tensor(scores), nobody + _one(3, 900)).numpy()
    difference = filled[:, 800:] - scores[:, 800:]
    assert difference.std() < 0.05 * scores.std()


def test_validation_users_decide_how_high_cold_items_rank(data):
    split = rv.split_items(data.select_items(data.item_counts > 0), 40, 40)
    features = ["kind"]
    model = rv.EASE(regularization=10).fit(split.train, split.validation, item_features=features)
    cold = np.flatnonzero(split.train.item_counts == 0)
    plain = rv.EASE(regularization=10).fit(split.train)
    for among, least in ((cold, 0.1), (None, 0)):
        with_features, without = (
            rv.evaluate(one, split.validation, "ndcg@5", among=among).mean["ndcg@5"]
            for one in (model, plain)
        )
        assert with_features > without + least


def test_what_can_not_be_done_says_so(model, data, tmp_path):
    with pytest.raises(OptionError, match="no column 'kinds'"):
        rv.EASE().fit(data, item_features=["kinds"])
    kept = rv.EASE().fit(data, item_features=["kind"], keep_data=True)
    refitted = kept.fit(data, keep_data=True)
    assert refitted.cold_items_ is None
    with pytest.raises(OptionError, match="the fit had no item_features"):
        kept.update(remove_users=[1], item_features=["kind"])


NEW = pd.DataFrame({"item": [1000, 1001], "kind": ["kind 2", "kind 0"]})


def nobody(items):
    """Items that nobody has, as an update takes them."""
    return rv.Interactions.from_matrix(sp.csr_matrix((0, 0), dtype=np.float32)).with_items(items)


def test_an_update_learns_items_that_nobody_has_and_their_features(data, tmp_path):
    split = rv.split_users(data, 40, 40)
    model = rv.EASE(regularization=10)
    model.fit(split.train, split.validation, item_features=["kind"], keep_data=True).save(tmp_path)
    updated = rv.load_model(tmp_path).update(nobody(NEW))
    old, new = (m.cold_items_ for m in (model, updated))
    chosen = [(one.ridge.penalty, one.weight, one.spread) for one in (old, new)]
    np.testing.assert_allclose(*chosen)
    histories = sp.csr_matrix(
        (data.matrix.data, data.matrix.indices, data.matrix.indptr), (200, 50)
    )
    scores = updated.score_or_count(histories)
    np.testing.assert_allclose(scores[:, 48], scores[:, 46], rtol=1e-5)  # of one kind
    np.testing.assert_allclose(scores[:, 49], scores[:, 44], rtol=1e-5)
    updated.save(tmp_path)
    assert rv.load_model(tmp_path).update(remove_users=[split.train.user_ids[0]]).cold_items_


def test_vectors_of_new_items_come_with_the_update(data):
    vectors = pd.get_dummies(data.items["kind"]).to_numpy(np.float32)
    model = rv.EASE(regularization=10).fit(data, item_features=vectors, keep_data=True)
    by_name = rv.EASE(regularization=10).fit(data, item_features=["kind"], keep_data=True)
    with pytest.raises(OptionError, match="no vectors of the new items"):
        model.update(nobody(NEW))
    with pytest.raises(DataError, match="vectors must have 4 finite numbers"):
        model.update(nobody(NEW), item_features=np.ones((2, 3)))
    model.update(nobody(NEW), item_features=np.eye(TASTES)[[2, 0]] * 7)
    table = pd.DataFrame({"user": ["me"] * 3, "item": [2, 6, 10]})
    ours, theirs = (one.recommend_table(table, 40) for one in (model, by_name.update(nobody(NEW))))
    assert ours["item"].tolist() == theirs["item"].tolist()
    assert 1000 in ours["item"].tolist()[:10]


def _tensor(scores):
    return torch.from_numpy(scores.copy())


def _one(n_users, n_items):
    first = sp.csr_matrix(np.ones((n_users, 1), dtype=np.float32))
    return sp.hstack([first, sp.csr_matrix((n_users, n_items - 1), dtype=np.float32)]).tocsr()
