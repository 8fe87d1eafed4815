import numpy as np
import pandas as pd
import pytest
from scipy.sparse import csr_matrix
from scipy.sparse.linalg import svds

from recvae.data.datasets.loading import load_dataset, load_tables
from recvae.data.datasets.sample import sample_tables
from recvae.data.datasets.tables import Tables
from recvae.data.interactions import Interactions


@pytest.fixture(scope="module")
def tables() -> Tables:
    return load_tables("sample")


@pytest.fixture(scope="module")
def liked() -> Interactions:
    return load_dataset("sample", min_rating=4, min_user_items=5)


def test_it_is_always_the_same(tables: Tables):
    again = sample_tables()
    pd.testing.assert_frame_equal(tables.ratings, again.ratings)
    pd.testing.assert_frame_equal(tables.items, again.items)


def test_it_has_the_shape_of_movielens(tables: Tables):
    ratings = tables.ratings
    assert (ratings["user"].nunique(), len(tables.items)) == (3000, 1200)
    assert 200_000 <= len(ratings) <= 250_000
    assert not ratings.duplicated(["user", "item"]).any()
    assert sorted(ratings["rating"].unique()) == [1, 2, 3, 4, 5]
    assert (ratings["rating"] >= 4).mean() == pytest.approx(0.58, abs=0.02)
    assert ratings.groupby("user").size().min() >= 20


def test_few_items_and_few_users_have_most_ratings(tables: Tables):
    for who, share in (("item", 0.3), ("user", 0.3)):
        counts = np.sort(tables.ratings.groupby(who).size())[::-1]
        assert counts[: len(counts) // 10].sum() > share * counts.sum()
        assert counts[0] > 5 * np.median(counts)


def test_timestamps_ascend_over_years(tables: Tables):
    days = tables.ratings["timestamp"] / 86_400
    assert 3 * 365 < days.max() - days.min() < 6 * 365
    assert tables.ratings.groupby("user")["timestamp"].is_monotonic_increasing.all()


def test_users_stay_with_a_genre_for_a_while(tables: Tables):
    """Two films in a row share their first genre more often than two of a user's at random."""
    genres = tables.items.set_index("item")["genres"].str.split("|").str[0]
    first = tables.ratings["item"].map(genres).to_numpy()
    users = tables.ratings["user"].to_numpy()
    shuffled = first[np.lexsort((np.random.default_rng(0).random(len(users)), users))]
    same_user = users[1:] == users[:-1]
    in_a_row, at_random = ((x[1:] == x[:-1])[same_user].mean() for x in (first, shuffled))
    assert in_a_row > 1.2 * at_random


def test_titles_and_genres(tables: Tables):
    items = tables.items
    assert items["title"].is_unique
    assert items["title"].str.fullmatch(r"The [A-Z][\w ]+ \((19|20)\d\d\)").all()
    genres = items["genres"].str.split("|")
    assert set(genres.str.len()) == {1, 2, 3}
    assert genres.explode().nunique() == 18
    assert tables.users is None
    assert tables.tags is None


def test_interactions(liked: Interactions):
    assert liked.items["title"].notna().all()
    assert liked.items["year"].between(1900, 2003).all()
    assert liked.shape[0] > 2900
    assert np.diff(liked.matrix.indptr).min() >= 5


def ndcg_at_100(scores: np.ndarray, seen: np.ndarray, held_out: np.ndarray) -> float:
    top = np.argsort(-np.where(seen, -np.inf, scores), axis=1)[:, :100]
    gains = 1 / np.log2(np.arange(2, 102))
    ideal = np.cumsum(gains)[np.minimum(held_out.sum(axis=1), 100) - 1]
    return float(np.mean((np.take_along_axis(held_out, top, axis=1) * gains).sum(axis=1) / ideal))


def test_models_rank_in_a_sensible_order(liked: Interactions):
    """Unseen users: a linear autoencoder and a truncated SVD, both far above popularity."""
    rng = np.random.default_rng(0)
    rated = liked.matrix.toarray()[rng.permutation(liked.shape[0])] > 0
    train, unseen = rated[500:].astype(np.float32), rated[:500]
    held_out = unseen & (rng.random(unseen.shape) < 0.2)
    some = held_out.any(axis=1)
    held_out, seen = held_out[some], (unseen & ~held_out)[some]

    gram = (train.T @ train).astype(np.float64)
    inverse = np.linalg.inv(gram + 300 * np.eye(len(gram)))
    ease = -inverse / np.diag(inverse)
    np.fill_diagonal(ease, 0)
    factors = svds(csr_matrix(train), k=50, v0=np.ones(len(gram), dtype=np.float32))[2].T

    popularity = ndcg_at_100(np.tile(train.sum(axis=0), (len(seen), 1)), seen, held_out)
    svd = ndcg_at_100(seen @ factors @ factors.T, seen, held_out)
    linear = ndcg_at_100(seen @ ease, seen, held_out)
    assert 0.15 < popularity < 0.3
    assert linear > 1.6 * popularity
    assert svd > 1.35 * popularity
