"""GraphAE against its formulas on dense matrices."""

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
import torch
from forged_stores import reseal
from hypothesis import given
from hypothesis import strategies as st

import recvae as rv
from recvae.errors import ModelFileError
from recvae.models.graph_ae import ItemGraph
from recvae.saved.storage import MANIFEST

USERS, ITEMS = 90, 60


@pytest.fixture(scope="module")
def train():
    rng = np.random.default_rng(0)
    chance = rng.beta(0.5, 2, ITEMS)
    return sp.csr_matrix(
        (rng.random((USERS, ITEMS)) < chance) * rng.integers(1, 6, ITEMS), dtype="f4"
    )


def normalized(matrix, user_power=1.0, degree_power=0.5):
    """R of a sparse X, dense."""
    dense = (matrix.toarray() > 0).astype(float)
    of_users, of_items = (np.maximum(dense.sum(axis=axis), 1) for axis in (1, 0))
    return dense / np.outer(of_users ** (user_power / 2), of_items**degree_power), of_items


def by_the_formula(train, histories, rank, level, slope, user_power, degree_power, item_power):
    """Scores by the filter on all eigenvalues of the dense A = R'R."""
    r, counts = normalized(train, user_power, degree_power)
    values, vectors = np.linalg.eigh(r.T @ r)
    values /= values[-1]
    response = np.where(np.arange(ITEMS) >= ITEMS - rank, level + slope * values, values)
    signal = (histories.toarray() > 0) / counts**item_power
    return signal @ (vectors * response) @ vectors.T * counts**item_power


@given(
    st.sampled_from([1, 4, 6]),
    st.fixed_dictionaries(
        dict.fromkeys(
            ("level", "slope", "user_power", "degree_power", "item_power"), st.floats(0.0, 1.0)
        )
    ),
)
def test_the_scores_are_those_of_the_filter(train, rank, options):
    expected = by_the_formula(train, train[:9], rank, **options)
    scores = rv.GraphAE(rank=rank, **options).fit(train).score(train[:9])
    np.testing.assert_allclose(scores, expected, rtol=1e-3, atol=1e-3)


def test_the_filter_that_leaves_the_graph_as_it_is(train):
    """Level 0 and slope 1 are one product with A, whatever the rank."""
    r, _ = normalized(train, 0.5, 0.25)
    expected = r.T @ r / np.linalg.norm(r, 2) ** 2
    model = rv.GraphAE(level=0.0, slope=1.0, user_power=0.5, degree_power=0.25, item_power=0.0).fit(
        train
    )
    alone = sp.eye(ITEMS, format="csr", dtype=np.float32)
    np.testing.assert_allclose(model.score(alone), expected, atol=1e-6)
    np.testing.assert_allclose(model.similarities(np.arange(ITEMS)), expected, atol=1e-6)


def test_the_eigenvalues_are_from_0_to_1_and_the_vectors_are_found(train):
    graph = ItemGraph.of((train > 0).astype(np.float32), 1.0, 0.5)
    matrix = graph.multiply(torch.eye(ITEMS)).numpy()
    r, _ = normalized(train)
    np.testing.assert_allclose(matrix, r.T @ r, atol=1e-6)
    values, vectors = np.linalg.eigh(matrix)
    assert -1e-6 < values.min() < values.max() == pytest.approx(1)
    largest, found = graph.smoothest(5, torch.Generator().manual_seed(0))
    np.testing.assert_allclose(largest, values[-5:], atol=1e-5)
    np.testing.assert_allclose(found @ found.T, vectors[:, -5:] @ vectors[:, -5:].T, atol=1e-4)


def test_there_is_an_eigenvector_for_ten_users_or_items_at_most(train):
    assert rv.GraphAE().fit(train).vectors_.shape == (ITEMS, ITEMS // 10)
    assert rv.GraphAE().fit(train[:35]).vectors_.shape == (ITEMS, 3)
    assert rv.GraphAE().fit(train[:5]).vectors_.shape == (ITEMS, 1)


def test_weights_are_not_read(train):
    binary = (train > 0).astype(np.float32)
    torch.testing.assert_close(
        rv.GraphAE(rank=4).fit(train).score(train), rv.GraphAE(rank=4).fit(binary).score(binary)
    )


def test_users_and_items_with_nothing_do_not_disturb():
    matrix = sp.csr_matrix(np.array([[1, 1, 0, 0], [0, 0, 0, 0], [1, 1, 1, 0]], dtype=float))
    model = rv.GraphAE().fit(matrix)
    scores = model.score(matrix)
    assert scores.isfinite().all()
    np.testing.assert_allclose(scores[:, 3], 0, atol=1e-6)
    assert model.similar_items([0], 1)[0].tolist() == [[1]]


def test_the_rows_that_are_kept_are_in_another_order(train):
    """Their order could name the users: the raw ids of the training users are sorted."""
    rows = rv.GraphAE(rank=2).fit(train).graph_.by_user
    kept = np.split(rows.columns.numpy(), rows.offsets[1:-1].numpy())
    given_ = np.split(train.indices, train.indptr[1:-1])
    assert sorted(map(tuple, kept)) == sorted(map(tuple, given_))
    assert sum(map(np.array_equal, kept, given_)) < USERS / 2


def test_shards_teach_what_a_table_does(train, tmp_path):
    users, items = train.nonzero()
    table = pd.DataFrame({"user": users, "item": items})
    table.to_parquet(tmp_path / "likes.parquet")
    rv.shard_table(tmp_path / "likes.parquet", tmp_path / "shards", lines=100)
    shards, data = rv.read_shards(tmp_path / "shards"), rv.read_interactions(table)
    assert len(shards) > 2
    one, other = rv.GraphAE(rank=4).fit(shards), rv.GraphAE(rank=4).fit(data)
    torch.testing.assert_close(one.score(data.matrix), other.score(data.matrix))


def test_blocks_of_users_do_not_change_scores(train, monkeypatch):
    model = rv.GraphAE(rank=4).fit(train)
    whole = model.score(train)
    monkeypatch.setattr("recvae.models.graph_ae.USERS_AT_ONCE", 7)
    torch.testing.assert_close(model.score(train), whole)


@pytest.mark.parametrize("rank", [3, 5])
def test_vectors_of_another_rank_are_not_loaded(train, rank, tmp_path):
    rv.GraphAE(rank=4).fit(train).save(tmp_path)
    reseal(tmp_path / MANIFEST, lambda said: said["facts"]["options"].update(rank=rank))
    with pytest.raises(ModelFileError, match="a tensor is"):
        rv.load_model(tmp_path)


@pytest.mark.parametrize(
    ("part", "place", "value"),
    [("columns", 0, -1), ("columns", 5, ITEMS), ("offsets", 0, 1), ("offsets", 4, 10**9)],
)
def test_a_strangers_rows_are_checked(train, part, place, value):
    model = rv.GraphAE(rank=2).fit(train)
    state = {name: tensor.clone() for name, tensor in model.state().items()}
    state[part][place] = value
    with pytest.raises(ValueError, match=r"indices|indptr|pointer|offsets"):
        model.restore(state)
