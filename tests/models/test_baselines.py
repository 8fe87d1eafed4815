"""What is the baselines' own; the contract suite tests what they share with all models."""

import implicit.utils
import numpy as np
import pytest
import scipy.sparse as sp
import torch
from forged_stores import reseal
from implicit.cpu.als import AlternatingLeastSquares
from sklearn.metrics.pairwise import cosine_similarity
from threadpoolctl import threadpool_limits

import recvae as rv
from recvae.errors import ModelFileError, OptionError, TrainingError
from recvae.models.families import neighbors
from recvae.saved.storage import MANIFEST


@pytest.fixture(scope="module")
def train():
    rng = np.random.default_rng(0)
    chance = rng.beta(0.5, 2, 20)
    return sp.csr_matrix(
        (rng.random((400, 20)) < chance) * rng.integers(1, 6, (400, 20)), dtype=float
    )


def dense(matrix):
    return (matrix.toarray() > 0).astype(float)


def keep_largest(similarity, k):
    np.fill_diagonal(similarity, 0)
    weakest_kept = np.sort(similarity, axis=1)[:, -k][:, None]
    return np.where(similarity >= weakest_kept, similarity, 0)


# Popularity


def test_popularity_counts_users_not_weights():
    matrix = sp.csr_matrix([[9, 1, 0], [0, 1, 1], [0, 1, 1]])
    ids, scores = rv.Popularity().fit(matrix).recommend(matrix, 3, exclude_seen=False)
    assert ids.tolist() == [[1, 2, 0]] * 3
    assert scores.tolist() == [[3, 2, 1]] * 3


def test_popularity_knows_no_similar_items(train):
    with pytest.raises(OptionError, match="Popularity has no notion of similar items"):
        rv.Popularity().fit(train).similar_items([0])


# ItemKNN


def test_cosine(train):
    model = rv.ItemKNN(similarity="cosine", n_neighbors=5).fit(train)
    expected = keep_largest(cosine_similarity(dense(train).T), 5)
    np.testing.assert_allclose(model.neighbors_.T.toarray(), expected, rtol=1e-5)


def test_tfidf_is_the_cosine_of_weighed_users(train):
    users = dense(train)
    users *= np.log1p(20 / users.sum(axis=1, keepdims=True))
    model = rv.ItemKNN(similarity="tfidf", n_neighbors=5).fit(train)
    expected = keep_largest(cosine_similarity(users.T), 5)
    np.testing.assert_allclose(model.neighbors_.T.toarray(), expected, rtol=1e-5)


def test_bm25_by_its_formula(train):
    counts = train.toarray()
    popularity = counts.sum(axis=0)
    norm = 1.2 * (0.25 + 0.75 * popularity / popularity.mean())
    users = counts * 2.2 / (norm + counts) * np.log1p(20 / (counts > 0).sum(axis=1, keepdims=True))
    model = rv.ItemKNN(similarity="bm25", n_neighbors=5, input="counts").fit(train)
    expected = keep_largest(users.T @ users, 5)
    np.testing.assert_allclose(model.neighbors_.T.toarray(), expected, rtol=1e-5)


def test_an_item_scores_by_its_own_neighbors_in_the_history(train):
    model = rv.ItemKNN(n_neighbors=3, input="counts").fit(train)
    expected = train.toarray() @ model.neighbors_.toarray()
    np.testing.assert_allclose(model.score(train), expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("n_threads", [1, 2, 50])
def test_neighbors_and_scores_are_the_same_for_any_number_of_threads(train, n_threads, monkeypatch):
    usual = rv.ItemKNN(n_neighbors=3).fit(train)
    monkeypatch.setattr(torch, "get_num_threads", lambda: n_threads)
    monkeypatch.setattr(neighbors, "ITEMS_AT_ONCE", 3)
    model = rv.ItemKNN(n_neighbors=3).fit(train)
    np.testing.assert_array_equal(model.neighbors_.toarray(), usual.neighbors_.toarray())
    np.testing.assert_array_equal(model.score(train), usual.score(train))


def test_more_neighbors_than_items(train):
    assert rv.ItemKNN(n_neighbors=1000).fit(train).neighbors_.nnz <= 20 * 19


@pytest.mark.parametrize("similarity", ["cosine", "tfidf", "bm25"])
def test_items_and_users_with_nothing_do_not_disturb(similarity):
    matrix = sp.csr_matrix(np.array([[1, 1, 0, 0], [0, 0, 0, 0], [1, 1, 1, 0]], dtype=float))
    model = rv.ItemKNN(similarity=similarity).fit(matrix)
    assert np.isfinite(model.neighbors_.data).all()
    assert model.neighbors_[3].nnz == model.neighbors_[:, 3].nnz == 0
    assert model.similar_items([0], 1)[0].tolist() == [[1]]


# EASE


def test_ease_is_the_best_linear_model_without_the_item_itself(train):
    """Against a ridge regression of each item on all the others."""
    users, penalty = dense(train), 7.0
    weights = rv.EASE(regularization=penalty).fit(train).weights_.numpy()
    for item in range(20):
        others = np.arange(20) != item
        x, y = users[:, others], users[:, item]
        expected = np.linalg.solve(x.T @ x + penalty * np.eye(19), x.T @ y)
        np.testing.assert_allclose(weights[others, item], expected, atol=1e-5)
        assert weights[item, item] == 0


def test_ease_reads_no_weights(train):
    model = rv.EASE().fit(train)
    binary = sp.csr_matrix(dense(train))
    np.testing.assert_array_equal(model.weights_, rv.EASE().fit(binary).weights_)
    np.testing.assert_array_equal(model.score(train), model.score(binary))


@pytest.mark.parametrize("model", [rv.EASE, rv.EDLAE])
def test_a_linear_autoencoder_refuses_too_many_items(train, model):
    with pytest.raises(
        OptionError, match=f"{model.__name__} needs .*max_gigabytes=1e-09: use SparseEDLAE"
    ):
        model(max_gigabytes=1e-9).fit(train)


def test_ease_without_enough_regularization():
    twins = sp.csr_matrix(np.ones((1000, 3)))
    with pytest.raises(TrainingError, match="raise regularization"):
        rv.EASE(regularization=1e-30).fit(twins)


# EDLAE

PLAIN = {"user_power": 0.0, "item_power": 0.0}
"""The options of Steck's EDLAE."""


def regressions(left, right):
    """Weights of each item by all the others, from their moments."""
    weights = np.zeros_like(left)
    for item in range(len(left)):
        others = np.arange(len(left)) != item
        weights[others, item] = np.linalg.solve(left[np.ix_(others, others)], right[others, item])
    return weights


def test_edlae_is_what_dropout_learns_in_the_long_run(train):
    """Against least squares on many draws of the corrupted input."""
    users, rng = dense(train), np.random.default_rng(1)
    noisy = [users * (rng.random(users.shape) >= 0.4) / 0.6 for _ in range(4000)]
    left = sum(draw.T @ draw for draw in noisy) / len(noisy) + 7 * np.eye(20)
    right = sum(draw.T @ users for draw in noisy) / len(noisy)
    edlae = rv.EDLAE(dropout=0.4, regularization=7.0, **PLAIN).fit(train).weights_
    ease = rv.EASE(regularization=7.0).fit(train).weights_
    np.testing.assert_allclose(edlae, regressions(left, right), atol=3e-3)
    assert (ease - edlae).abs().max() > 0.02


@pytest.mark.parametrize("user_power", [0.0, 0.3, 1.0])
@pytest.mark.parametrize("item_power", [0.0, 0.2, 1.0])
def test_edlae_weighs_users_and_items_by_powers_of_their_numbers(train, user_power, item_power):
    """Against a regression of each item on all the others; some users and items have nothing."""
    lacking = sp.block_diag([train, sp.csr_matrix((3, 2))]).tocsr()
    users = dense(lacking)
    weighed = users * np.maximum(users.sum(axis=1, keepdims=True), 1) ** -user_power
    gram = users.T @ weighed
    left = gram + 0.25 / 0.75 * np.diag(np.diag(gram)) + 7 * np.eye(22)
    expected = regressions(left, gram) / np.maximum(users.sum(axis=0), 1) ** item_power
    model = rv.EDLAE(
        dropout=0.25, regularization=7.0, user_power=user_power, item_power=item_power
    ).fit(lacking)
    np.testing.assert_allclose(model.weights_, expected, atol=1e-5)


def test_plain_edlae_without_dropout_is_ease(train):
    edlae = rv.EDLAE(dropout=0.0, regularization=7.0, **PLAIN).fit(train)
    np.testing.assert_array_equal(edlae.weights_, rv.EASE(regularization=7.0).fit(train).weights_)


# ALS


@pytest.mark.parametrize("kind", ["binary", "counts"])
def test_als_solves_the_normal_equations_of_each_user(train, kind):
    model = rv.ImplicitALS(factors=4, alpha=3.0, regularization=0.7, input=kind).fit(train)
    items = model.item_factors_.numpy().astype(float)
    weights = dense(train) if kind == "binary" else train.toarray()
    for user, row in enumerate(weights[:40]):
        confidence = np.where(row > 0, 3.0 * row, 1.0)
        left = (items.T * confidence) @ items + 0.7 * np.eye(4)
        vector = np.linalg.solve(left, items.T @ (confidence * (row > 0)))
        score = model.score(train[user])[0]
        np.testing.assert_allclose(score, items @ vector, rtol=1e-3, atol=1e-4)


def test_als_is_what_implicit_learns(train):
    theirs = AlternatingLeastSquares(factors=4, alpha=2.0, regularization=1.0, random_state=3)
    theirs.fit(sp.csr_matrix(dense(train), dtype=np.float32), show_progress=False)
    ours = rv.ImplicitALS(factors=4, alpha=2.0, regularization=1.0, seed=3).fit(train)
    np.testing.assert_allclose(ours.item_factors_, theirs.item_factors, rtol=1e-4, atol=1e-6)


def test_als_does_not_depend_on_the_number_of_threads(train):
    one, two = (rv.ImplicitALS(factors=4, n_threads=n).fit(train).item_factors_ for n in (1, 2))
    np.testing.assert_array_equal(one, two)


def test_als_keeps_blas_to_one_thread_as_implicit_asks(train, monkeypatch):
    """implicit warns of more, once in a process; here warnings are errors."""
    for used in ("fit", "recommend", "update"):
        with threadpool_limits(limits=2, user_api="blas"):
            model = rv.ImplicitALS(factors=2).fit(train, keep_data=True)
            monkeypatch.setattr(implicit.utils, "_checked_blas_config", False)
            getattr(model, used)(train)


# BPR and LMF


@pytest.mark.parametrize("model", [rv.ImplicitBPR, rv.ImplicitLMF])
def test_trained_users_score_by_inner_products(train, model):
    fitted = model(factors=3, iterations=5).fit(train)
    expected = fitted.user_factors_.numpy() @ fitted.item_factors_.numpy().T
    rows = np.array([5, 2])
    np.testing.assert_allclose(fitted.score(train[rows], rows), expected[rows], rtol=1e-5)


@pytest.mark.parametrize("model", [rv.ImplicitBPR, rv.ImplicitLMF])
def test_item_biases_do_not_make_items_alike(train, model):
    fitted = model(factors=3, iterations=5).fit(train)
    _, before = fitted.similar_items([0, 1])
    fitted.item_factors_[:, 3:] = 100.0
    np.testing.assert_array_equal(fitted.similar_items([0, 1])[1], before)


def test_another_seed_gives_another_result(train):
    for model in (rv.ImplicitALS, rv.ImplicitBPR, rv.ImplicitLMF):
        one, other = (model(factors=3, seed=seed).fit(train).item_factors_ for seed in (0, 1))
        assert not np.array_equal(one, other)


def test_learning_too_fast(train):
    with pytest.raises(TrainingError, match="lower the learning rate"):
        rv.ImplicitBPR(factors=3, learning_rate=1e30).fit(train)


# Storage


@pytest.mark.parametrize("name", ["als", "bpr", "lmf"])
def test_factors_of_another_width_are_not_loaded(train, name, tmp_path):
    rv.build_model(name, {"factors": 3, "iterations": 1}).fit(train).save(tmp_path)
    reseal(tmp_path / MANIFEST, lambda said: said["facts"]["options"].update(factors=4))
    with pytest.raises(ModelFileError, match="a tensor is"):
        rv.load_model(tmp_path)


# The numbers on MovieLens 1M: strong generalization, seed 98765


@pytest.mark.parametrize(
    ("model", "recall_20", "recall_50", "ndcg_100"),
    [
        (rv.Popularity(), 0.1701, 0.2444, 0.2171),
        (rv.ItemKNN(), 0.3138, 0.4260, 0.3737),
        (rv.EASE(regularization=500), 0.3611, 0.4765, 0.4203),
        (rv.EDLAE(dropout=0.5, regularization=300, **PLAIN), 0.3681, 0.4768, 0.4250),
        (rv.ImplicitALS(), 0.355, 0.481, 0.420),
    ],
)
def test_movielens_1m(movielens_1m, model, recall_20, recall_50, ndcg_100):
    mean = rv.evaluate(model.fit(movielens_1m.train), movielens_1m.test).mean
    expected = [recall_20, recall_50, ndcg_100]
    tolerance = 0.003 if isinstance(model, rv.ImplicitALS) else 6e-5
    np.testing.assert_allclose(mean, expected, atol=tolerance)


@pytest.fixture(scope="module")
def movielens_1m(real_data):
    data = rv.load_dataset("ml-1m", data_dir=real_data, min_rating=4, min_user_items=5)
    return rv.split_users(data, n_validation=1000, n_test=1000, seed=98765)


def test_similar_items_of_neighbors_end_where_the_neighbors_do(train):
    model = rv.ItemKNN(n_neighbors=3).fit(train)
    ids, similarities = model.similar_items([2], k=10)
    n = np.count_nonzero(model.neighbors_[:, 2].toarray()[np.arange(train.shape[1]) != 2])
    assert (ids[0] >= 0).sum() == n < 10
    assert (similarities[0, :n] > 0).all()
    assert (similarities[0, n:] == -np.inf).all()
