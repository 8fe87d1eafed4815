import warnings
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp

import recvae as rv
from recvae.data.features import Features
from recvae.errors import DataError, OptionError
from recvae.models.contract.cold_users import ColdUsers
from recvae.models.contract.ridge import Ridge

TASTES, USERS, ITEMS = 4, 200, 24
NEW = pd.DataFrame({"town": ["town 2", "town 0", None]})


@pytest.fixture(scope="module")
def data():
    """Users of four towns, each of which has a taste of its own."""
    rng = np.random.default_rng(0)
    towns = np.arange(USERS) % TASTES
    liking = np.where(towns[:, None] == np.arange(ITEMS) % TASTES, 0.8, 0.1)
    liking *= np.linspace(1, 0.4, ITEMS)
    liked = sp.csr_matrix((rng.random(liking.shape) < liking).astype(np.float32))
    users = pd.DataFrame({"town": [f"town {town}" for town in towns], "age": towns * 10.0})
    items = pd.DataFrame(index=pd.RangeIndex(ITEMS, name="item"))
    return rv.Interactions(liked, users.rename_axis("user"), items)


@pytest.fixture(scope="module")
def model(data):
    return rv.EASE(regularization=10).fit(data, user_features=["town"])


def nobody(n):
    return sp.csr_matrix((n, ITEMS), dtype=np.float32)


def test_users_without_a_history_are_told_apart(model):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        ids, _ = model.recommend(nobody(3), ITEMS // TASTES, user_features=NEW)
    assert (ids[0] % TASTES == 2).all()
    assert (ids[1] % TASTES == 0).all()


def test_who_says_nothing_gets_the_most_popular(model):
    ids, scores = model.recommend(nobody(3), 5, user_features=NEW)
    with pytest.warns(rv.models.EmptyHistoryWarning):
        popular, counts = model.recommend(nobody(1), 5)
    np.testing.assert_array_equal(ids[2], popular[0])
    np.testing.assert_allclose(scores[2], counts[0], rtol=1e-4)


def test_users_with_a_history_keep_their_lists(model, data):
    old = data.select_users(np.diff(data.matrix.indptr) > 0)
    told = old.users.assign(town="town 1")
    for ours, theirs in zip(
        model.recommend(old.matrix, 5, user_features=told),
        model.recommend(old.matrix, 5),
        strict=True,
    ):
        np.testing.assert_array_equal(ours, theirs)


def test_tables_list_users_without_a_line(model):
    likes = pd.DataFrame({"user": ["old"], "item": [3]})
    told = NEW.assign(user=["one", "two", "three"])
    table = model.recommend_table(likes, 4, user_features=told)
    assert table["user"].unique().tolist() == ["old", "one", "two", "three"]
    assert set(table["item"][table["user"] == "one"] % TASTES) == {2}
    alone = model.recommend_table({"user": [], "item": []}, 4, user_features=told)
    pd.testing.assert_frame_equal(
        alone, table[table["user"] != "old"].reset_index(drop=True), check_dtype=False
    )


def test_vectors_of_ones_own(data):
    vectors = np.eye(TASTES)[np.arange(USERS) % TASTES]
    model = rv.EASE().fit(data, user_features=vectors)
    ids, _ = model.recommend(nobody(TASTES), 3, user_features=sp.csr_matrix(np.eye(TASTES)))
    assert (ids % TASTES == np.arange(TASTES)[:, None]).all()


def test_the_regression_is_that_of_the_normal_equations(data):
    features, known = Features.learn(data.users, ["town", "age"], np.ones(USERS, dtype=bool))
    users = ColdUsers.learn(features, known, data.matrix)
    (ridge,) = Ridge.each(known, 7.0)
    users = ColdUsers(**{**vars(users), "ridge": ridge})

    def expected(kept, asked):
        dense, liked = known.toarray()[kept], data.matrix.toarray()[kept]
        centre, mean = dense.mean(axis=0), liked.mean(axis=0)
        gram = (dense - centre).T @ (dense - centre) + 7 * np.eye(dense.shape[1])
        weights = np.linalg.solve(gram, (dense - centre).T @ (liked - mean))
        return mean + (known.toarray()[asked] - centre) @ weights

    everyone = np.arange(USERS)
    np.testing.assert_allclose(users.score(known) / USERS, expected(everyone, everyone), atol=1e-4)
    left_out = users.left_out(known[:5], data.matrix[:5])
    for user in range(5):
        found = expected(np.delete(everyone, user), user)
        np.testing.assert_allclose(left_out[user], found, atol=1e-2)


def test_the_penalty_is_chosen_by_users_left_out(data):
    rng = np.random.default_rng(1)
    noise = data.users.assign(town=[f"town {n}" for n in rng.integers(60, size=USERS)])
    chosen = []
    for users in (data.users, noise):
        features, known = Features.learn(users, ["town"], np.ones(USERS, dtype=bool))
        chosen.append(ColdUsers.learn(features, known, data.matrix).ridge.penalty)
    assert chosen[0] < chosen[1]


@pytest.mark.parametrize("columns", [["town"], ["town", "age"]])
def test_an_update_is_a_fit_of_all(data, columns, tmp_path):
    first, second = data.select_users(np.arange(120)), data.select_users(np.arange(100, USERS))
    rv.EASE().fit(first, user_features=columns, keep_data=True).save(tmp_path)
    updated = rv.load_model(tmp_path)
    assert list(updated.facts_.data.users) == columns
    updated.update(second, remove_users=[3, 150])
    left = np.setdiff1d(np.flatnonzero(np.diff(data.matrix.indptr)), [3, 150])
    anew = rv.EASE().fit(data.select_users(left), user_features=columns)
    told = NEW.assign(age=[20.0, None, 30.0])
    found, expected = (model.cold_users_.encode(told, 3) for model in (updated, anew))
    assert abs(found - expected).max() < 1e-6
    scores, others = (model.cold_users_.score(found) for model in (updated, anew))
    np.testing.assert_allclose(scores, others, atol=1e-3)


def test_an_update_takes_users_of_whom_nothing_is_known(data, tmp_path):
    model = rv.EASE().fit(data, user_features=["town"], keep_data=True)
    model.update(rv.read_interactions({"user": [10**6] * 2, "item": [1, 5]}))
    model.save(tmp_path)
    assert rv.load_model(tmp_path).facts_.data.users["town"].isna().sum() == 1


def test_what_can_not_be_done_says_so(model, data):
    with pytest.raises(OptionError, match="no column 'city'"):
        rv.EASE().fit(data, user_features=["city"])
    with pytest.raises(DataError, match="1 lines for 2 users"):
        model.recommend(nobody(2), user_features=NEW[:1])
    with pytest.raises(OptionError, match="no column 'town'"):
        model.recommend(nobody(3), user_features=NEW.rename(columns={"town": "city"}))
    with pytest.raises(OptionError, match="fit it with some"):
        rv.EASE().fit(data).recommend(nobody(3), user_features=NEW)
    kept = rv.EASE().fit(data, user_features=np.eye(USERS), keep_data=True)
    with pytest.raises(OptionError, match="vectors of users are not kept"):
        kept.update(remove_users=[1])
    assert kept.fit(data).cold_users_ is None
    mixed = data.users.assign(town=[1, "two"] * (USERS // 2))
    with pytest.raises(DataError, match="users can't be saved"):
        rv.EASE().fit(replace(data, users=mixed), user_features=["town"], keep_data=True)
