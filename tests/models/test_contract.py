"""What every recommender promises; a model's own test file has only what is its own."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
import torch

import recvae as rv
from recvae import options
from recvae.data.interactions import Interactions
from recvae.errors import DataError, FoldInError, NotFittedError, OptionError
from recvae.models import MODELS, EmptyHistoryWarning
from recvae.options.spaces import Categorical
from recvae.ranking import blocks

AUTOENCODER = {
    "latent": 16,
    "batch_size": 10,
    "epochs": 40,
    "learning_rate": 0.01,
    "device": "cpu",
}
SMALL = {
    "ensemble": {"latent": 16, "width": 32, "epochs": 10, "rank": 16, "factors": 8}
    | {"device": "cpu"},
    "ensemble-of": {"members": "ease,als", "seed": 0, "device": "cpu"},
    "residual-vae": AUTOENCODER | {"width": 32, "epochs": 10, "regularization": 5.0},
    "mult-vae": AUTOENCODER | {"hidden": (32,)},
    "mult-dae": AUTOENCODER | {"hidden": (32,)},
    "rec-vae": AUTOENCODER | {"width": 32, "epochs": 10},
    "vamp-vae": AUTOENCODER | {"hidden": (32,), "n_components": 20},
    "ease": {"regularization": 5.0},
    "edlae": {"regularization": 5.0},
    "elsa": AUTOENCODER,
    "als": {"factors": 8, "regularization": 1.0},
    "bpr": {"factors": 8, "learning_rate": 0.05, "iterations": 300},
    "lmf": {"factors": 8},
    "item-knn": {"n_neighbors": 12},
}
USERS, ITEMS = 60, 25

needs_folding_in = [name for name, model in MODELS.items() if model.supports_new_users]
trained_users_only = [name for name, model in MODELS.items() if not model.supports_new_users]
personalised = [name for name in MODELS if name != "popularity"]


def new(name):
    return rv.build_model(name, SMALL.get(name, {}))


def recommend(model, histories, k=10, **arguments):
    """Lists for the first training users, whether the model looks at the rows or not."""
    return model.recommend(histories, k, rows=np.arange(histories.shape[0]), **arguments)


def assert_same_lists(one, other, rtol=1e-4):
    np.testing.assert_array_equal(one[0], other[0])
    np.testing.assert_allclose(one[1], other[1], rtol=rtol, atol=1e-5)


def checker_board(size):
    """Even users have the even items, odd users the odd ones, but for the diagonal."""
    board = np.add.outer(np.arange(size), np.arange(size)) % 2 == 0
    return sp.csr_matrix((board & ~np.eye(size, dtype=bool)).astype(np.float32))


@pytest.fixture(scope="module")
def data():
    rng = np.random.default_rng(0)
    liking = np.where(np.add.outer(np.arange(USERS), np.arange(ITEMS)) % 3 == 0, 0.7, 0.1)
    matrix = sp.csr_matrix((rng.random((USERS, ITEMS)) < liking).astype(np.float32))
    users = pd.DataFrame(index=pd.Index([f"user {n}" for n in range(USERS)], name="user"))
    items = pd.DataFrame(
        {"title": [f"Title {n}" for n in range(ITEMS)]},
        index=pd.Index([f"item {n}" for n in range(ITEMS)], name="item"),
    )
    return Interactions(matrix, users, items)


@pytest.fixture(scope="module")
def fitted(data):
    return {name: new(name).fit(data) for name in MODELS}


@pytest.fixture(scope="module")
def boards():
    return {name: new(name).fit(checker_board(20)) for name in personalised}


@pytest.fixture(params=MODELS)
def model(request, fitted):
    return fitted[request.param]


@pytest.fixture
def histories(data):
    return data.matrix


# Fitting


@pytest.mark.parametrize("name", MODELS)
def test_fit_returns_the_model_and_leaves_its_options(name, data):
    model = new(name)
    before = options.values(model)
    assert model.fit(data) is model
    assert options.values(model) == before


def test_fit_takes_a_sparse_matrix_too(model, data, histories):
    other = new(model.name).fit(sp.coo_matrix(data.matrix))
    assert_same_lists(recommend(model, histories), recommend(other, histories))
    assert list(other.item_ids_) == list(range(ITEMS))


def test_fit_counts_what_it_saw(model, data):
    np.testing.assert_array_equal(model.item_counts_, (data.matrix > 0).sum(axis=0).A1)
    assert model.n_users_ == USERS
    assert model.fingerprint_ == data.fingerprint()


@pytest.mark.parametrize("name", MODELS)
def test_the_same_seed_gives_the_same_lists(name, fitted, data, histories):
    one, other = (recommend(m, histories) for m in (fitted[name], new(name).fit(data)))
    np.testing.assert_array_equal(one[0], other[0])
    np.testing.assert_array_equal(one[1], other[1])


@pytest.mark.parametrize("name", MODELS)
def test_a_second_fit_forgets_the_first(name, fitted, data, histories):
    model = new(name).fit(checker_board(10)).fit(data)
    assert_same_lists(recommend(model, histories), recommend(fitted[name], histories))


@pytest.mark.parametrize("name", MODELS)
def test_inputs_are_not_modified(name):
    matrix = checker_board(10) * 3
    allow = sp.csr_matrix(([1, 0, 1], ([0, 0, 4], [3, 1, 2])), shape=(10, 10))
    copies = matrix.copy(), allow.copy()
    recommend(new(name).fit(matrix), matrix, 5, allow=allow, deny=allow)
    for now, before in zip((matrix, allow), copies, strict=True):
        for part in ("data", "indices", "indptr"):
            np.testing.assert_array_equal(getattr(now, part), getattr(before, part))


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize(
    ("matrix", "message"),
    [
        (np.eye(4), "sparse"),
        (sp.csr_matrix(np.diag([1.0, np.nan])), "finite"),
        (sp.csr_matrix(np.diag([1.0, -1.0])), "negative"),
        (sp.csr_matrix((3, 3)), "no interaction"),
        (sp.csr_matrix((0, 0)), "no interaction"),
    ],
)
def test_nothing_is_learnt_from_bad_data(name, matrix, message):
    with pytest.raises(DataError, match=message):
        new(name).fit(matrix)


@pytest.mark.parametrize("name", MODELS)
def test_options_out_of_their_range_are_refused_by_fit(name, data):
    numbers = {
        option: value
        for option, value in options.values(new(name)).items()
        if isinstance(value, int | float) and option != "seed"
    }
    for option, value in numbers.items():
        for wrong in (-1, str(value), float("nan")):
            model = new(name)
            setattr(model, option, wrong)
            with pytest.raises(OptionError, match=option):
                model.fit(data)


@pytest.mark.parametrize("name", MODELS)
def test_on_epoch_hears_what_the_history_says(name, data):
    split, heard = rv.split_users(data, n_validation=15, n_test=5), []
    model = new(name).fit(split.train, split.validation, lambda *epoch: heard.append(epoch))
    history = pd.DataFrame(model.history_, columns=["epoch", "ndcg@100"])
    assert heard == list(zip(history["epoch"], history["ndcg@100"], strict=True))


@pytest.mark.parametrize("name", MODELS)
def test_the_search_space_holds_the_defaults(name):
    model = MODELS[name]()
    for option, kind in model.space.items():
        assert getattr(model, option) in kind


@pytest.mark.parametrize("name", MODELS)
def test_the_ends_of_the_search_space_are_possible(name):
    cls = MODELS[name]
    for option, kind in cls.space.items():
        for value in kind.among if isinstance(kind, Categorical) else (kind.low, kind.high):
            options.check(cls(**{option: value}))


# Recommending


@pytest.mark.parametrize("name", personalised)
def test_the_checker_board_is_solved(name, boards):
    board = checker_board(20)
    ids, _ = recommend(boards[name], board, 1)
    np.testing.assert_array_equal(ids[:, 0], np.arange(20))


def test_lists_are_sorted_and_of_the_promised_types(model, histories):
    ids, scores = recommend(model, histories, 7)
    assert ids.shape == scores.shape == (USERS, 7)
    assert (ids.dtype, scores.dtype) == (np.int64, np.float32)
    assert (np.diff(scores, axis=1) <= 0).all()
    assert all(len(set(row)) == 7 for row in ids)


def test_seen_items_are_never_returned_unless_asked_for(model, histories):
    seen = histories.toarray() > 0
    ids, scores = recommend(model, histories, ITEMS)
    for user in range(USERS):
        left = ids[user] >= 0
        assert sorted(ids[user][left]) == np.flatnonzero(~seen[user]).tolist()
        assert (scores[user][~left] == -np.inf).all()
        assert not left[left.sum() :].any()
    every, _ = recommend(model, histories, ITEMS, exclude_seen=False)
    np.testing.assert_array_equal(np.sort(every), np.tile(np.arange(ITEMS), (USERS, 1)))


@pytest.mark.parametrize("k", [0, -1, ITEMS + 1, 2.5])
def test_a_list_of_impossible_length(model, histories, k):
    with pytest.raises(OptionError, match="k="):
        recommend(model, histories, k)


@pytest.mark.parametrize("per_user", [False, True])
def test_allow_and_deny(model, histories, per_user):
    columns = [3, 5, 7, 11]
    lists = [columns] * USERS if per_user else columns
    ids, _ = recommend(model, histories, 6, allow=lists, exclude_seen=False)
    np.testing.assert_array_equal(np.sort(ids[:, :4]), np.tile(columns, (USERS, 1)))
    assert (ids[:, 4:] == -1).all()
    ids, _ = recommend(model, histories, ITEMS, deny=lists, exclude_seen=False)
    assert not np.isin(ids, columns).any()
    assert (ids[:, -4:] == -1).all()


def test_equal_scores_rank_by_column(model, histories, monkeypatch):
    monkeypatch.setattr(type(model), "score", lambda self, rows, _: torch.zeros(rows.shape))
    ids, _ = recommend(model, histories, 9, exclude_seen=False)
    np.testing.assert_array_equal(ids, np.tile(np.arange(9), (USERS, 1)))


def test_a_batch_gives_what_each_user_alone_gets(model, histories):
    together = recommend(model, histories, 5)
    for user in range(8):
        alone = model.recommend(histories[user], 5, rows=np.array([user]))
        assert_same_lists(alone, [part[[user]] for part in together])


def test_lists_do_not_depend_on_the_blocks(model, histories, monkeypatch):
    whole = recommend(model, histories, 5)
    monkeypatch.setattr(blocks, "CELLS", 7 * ITEMS)
    assert_same_lists(recommend(model, histories, 5), whole)


def test_scores_are_fresh_memory(model, histories):
    rows = np.arange(USERS)
    before = model.score(histories, rows).clone()
    model.score(histories, rows).fill_(-1.0)
    np.testing.assert_array_equal(model.score(histories, rows).cpu(), before.cpu())


def test_no_users_get_no_lists(model):
    ids, scores = recommend(model, sp.csr_matrix((0, ITEMS)), 4)
    assert ids.shape == scores.shape == (0, 4)


def test_histories_of_other_items_are_refused(model):
    with pytest.raises(DataError, match=f"{ITEMS + 1} columns"):
        recommend(model, sp.csr_matrix((2, ITEMS + 1)))


def test_columns_of_other_items_are_refused(model, data):
    others = replace(data, items=data.items[::-1])
    with pytest.raises(DataError, match="not of the same items"):
        recommend(model, others)
    validation = rv.Holdout(data.matrix, 0 * data.matrix, item_ids=others.item_ids)
    with pytest.raises(DataError, match="not of the same items"):
        new(model.name).fit(data, validation)
    with pytest.raises(DataError, match="got Split"):
        new(model.name).fit(data, rv.split_users(data))


@pytest.mark.parametrize("bad", [np.eye(ITEMS), sp.csr_matrix(np.eye(ITEMS) * np.nan)])
def test_bad_histories_are_refused(model, bad):
    with pytest.raises(DataError):
        recommend(model, bad)


@pytest.mark.parametrize("name", needs_folding_in)
def test_empty_histories_get_the_most_popular_items(name, fitted):
    model = fitted[name]
    some = sp.csr_matrix(([1.0], ([1], [0])), shape=(3, ITEMS))
    with pytest.warns(EmptyHistoryWarning, match="2 of 3"):
        ids, scores = model.recommend(some, 6)
    popular = np.argsort(-model.item_counts_, kind="stable")[:6]
    np.testing.assert_array_equal(ids[[0, 2]], [popular, popular])
    np.testing.assert_array_equal(scores[0], model.item_counts_[popular])


@pytest.mark.parametrize("name", needs_folding_in)
def test_unseen_users_are_served_from_their_history_alone(name, fitted, histories):
    model = fitted[name]
    assert_same_lists(model.recommend(histories[::-1]), recommend(model, histories[::-1]))
    unseen = sp.csr_matrix((np.ones(2), ([0, 0], [0, 3])), shape=(1, ITEMS))
    ids, _ = model.recommend(unseen, 5)
    assert not np.isin(ids, [0, 3]).any()


@pytest.mark.parametrize("name", trained_users_only)
def test_unseen_users_are_refused_by_a_model_of_trained_users(name, fitted, histories):
    model = fitted[name]
    with pytest.raises(FoldInError, match="rows"):
        model.recommend(histories)
    with pytest.raises(FoldInError, match="rows"):
        model.score(histories)
    for rows in ([0], np.arange(USERS) + 1, np.arange(USERS) - 1):
        with pytest.raises(OptionError, match="rows must"):
            model.recommend(histories, rows=rows)
    stranger = pd.DataFrame({"user": ["nobody"], "item": ["item 1"]})
    with pytest.raises(FoldInError, match="nobody"):
        model.recommend_table(stranger)


@pytest.mark.parametrize("name", trained_users_only)
def test_trained_users_are_told_apart_by_their_rows(name, fitted, histories):
    model, rows = fitted[name], np.array([7, 3])
    expected = [part[rows] for part in recommend(model, histories)]
    assert_same_lists(model.recommend(histories[rows], rows=rows), expected)


# Raw ids


def test_recommend_table_speaks_raw_ids(model):
    table = model.recommend_table(
        pd.DataFrame(
            {"who": ["user 9", "user 2", "user 9"], "what": ["item 1", "item 4", "item 2"]}
        ),
        k=3,
        user="who",
        item="what",
    )
    assert list(table) == ["user", "item", "rank", "score", "title"]
    assert table["rank"].tolist() == [1, 2, 3, 1, 2, 3]
    assert set(table["user"]) == {"user 2", "user 9"}
    nine = table[table["user"] == "user 9"]
    assert not nine["item"].isin(["item 1", "item 2"]).any()
    assert (nine["title"] == nine["item"].str.replace("item", "Title")).all()
    history = sp.csr_matrix(([1.0, 1.0], ([0, 0], [1, 2])), shape=(1, ITEMS))
    ids, scores = model.recommend(history, 3, rows=np.array([9]))
    assert nine["item"].tolist() == [f"item {column}" for column in ids[0]]
    np.testing.assert_allclose(nine["score"], scores[0], rtol=1e-4)


def test_recommend_table_counts_the_items_it_does_not_know(model):
    table = pd.DataFrame({"user": ["user 1"] * 2, "item": ["item 1", "item 99"]})
    with pytest.warns(UserWarning, match=r"\b1\b"):
        assert len(model.recommend_table(table, k=4)) == 4


# Similar items


@pytest.mark.parametrize("name", personalised)
def test_similar_items_share_a_colour_of_the_checker_board(name, boards):
    ids, similarities = boards[name].similar_items(np.arange(20), 3)
    assert ids.shape == similarities.shape == (20, 3)
    assert (ids.dtype, similarities.dtype) == (np.int64, np.float32)
    assert (ids % 2 == np.arange(20)[:, None] % 2).all()
    assert (ids != np.arange(20)[:, None]).all()
    assert (np.diff(similarities, axis=1) <= 0).all()


@pytest.mark.parametrize("name", personalised)
def test_similar_items_takes_one_column_and_refuses_others(name, fitted):
    model = fitted[name]
    ids, _ = model.similar_items(4, ITEMS)
    assert ids[0, -1] == -1
    found = ids[0][ids[0] >= 0]
    assert 4 not in found
    assert len(set(found)) == len(found) > 0
    for columns in ([-1], [ITEMS], [[1, 2], [3, 4]]):
        with pytest.raises(OptionError, match="columns"):
            model.similar_items(columns)
    with pytest.raises(OptionError, match="k="):
        model.similar_items([0], ITEMS + 1)


# Fitted or not, saved or not


@pytest.mark.parametrize("name", MODELS)
def test_what_needs_fitting_says_so(name, histories, tmp_path):
    model = new(name)
    calls = [
        lambda: model.recommend(histories),
        lambda: model.recommend_table(pd.DataFrame({"user": [], "item": []})),
        lambda: model.similar_items([0]),
        lambda: model.save(tmp_path),
        lambda: model.n_parameters,
    ]
    for call in calls:
        with pytest.raises(NotFittedError, match="fit"):
            call()


def test_a_fit_that_refuses_the_users_leaves_no_model():
    users = pd.DataFrame(index=pd.Index([0.5, 1.5, 2.5]))
    items = pd.DataFrame(index=list("abc"))
    data = Interactions(sp.eye(3, format="csr", dtype=np.float32), users, items)
    model = rv.ImplicitBPR()
    with pytest.raises(DataError, match="user ids must be all integers or all strings"):
        model.fit(data)
    with pytest.raises(NotFittedError):
        model.similar_items([0])


def test_a_loaded_model_gives_identical_lists(model, histories, tmp_path):
    model.save(tmp_path / "model")
    loaded = rv.load_model(tmp_path / "model", device="cpu")
    assert options.values(loaded) == options.values(model)
    assert loaded.n_parameters == model.n_parameters
    for one, other in zip(recommend(model, histories), recommend(loaded, histories), strict=True):
        np.testing.assert_array_equal(one, other)
    table = pd.DataFrame({"user": ["user 3"], "item": ["item 1"]})
    pd.testing.assert_frame_equal(loaded.recommend_table(table), model.recommend_table(table))


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


@pytest.mark.parametrize("name", MODELS)
def test_a_model_of_a_bare_matrix_is_saved_too(name, boards, tmp_path):
    board = checker_board(20)
    model = boards[name] if name in boards else new(name).fit(board)
    model.save(tmp_path)
    loaded = rv.load_model(tmp_path, device="cpu")
    np.testing.assert_array_equal(recommend(loaded, board)[0], recommend(model, board)[0])


def test_evaluation_is_deterministic(model, histories):
    rng = np.random.default_rng(1)
    held_out = histories.multiply(rng.random(histories.shape) < 0.3).tocsr()
    holdout = rv.Holdout(histories - held_out, held_out, rows=np.arange(USERS))
    one, other = (rv.evaluate(model, holdout, ["ndcg@10"]) for _ in range(2))
    pd.testing.assert_frame_equal(one.per_user, other.per_user)
