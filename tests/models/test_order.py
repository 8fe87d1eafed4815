"""Models that read the order: what is recent weighs more, and what comes next is learnt."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from hypothesis import given
from hypothesis import strategies as st

import recvae as rv
from recvae import options
from recvae.errors import DataError, OptionError
from recvae.models import MissingWeightsWarning
from recvae.models.contract.inputs import recent
from recvae.serving.catalogue import Catalogue
from recvae.serving.schemas import History

N_ITEMS = 12
READ_ORDER = [
    rv.EASE(half_life=2.0),
    rv.SparseEDLAE(half_life=2.0),
    rv.ItemKNN(half_life=2.0),
    rv.ImplicitALS(factors=4, half_life=2.0),
    rv.GraphAE(rank=4, half_life=2.0),
    rv.MultVAE(hidden=(), latent=8, epochs=2, half_life=2.0),
    rv.Ensemble(members=[rv.EASE(), rv.ItemKNN()], half_life=2.0),
]


def in_circles(n_users=40, seed=0):
    """Users who go through the items in one order, beginning anywhere, half of a round long."""
    rng = np.random.default_rng(seed)
    starts = rng.integers(0, N_ITEMS, n_users)
    users, steps = np.divmod(np.arange(n_users * N_ITEMS // 2), N_ITEMS // 2)
    table = {"user": users, "item": (starts[users] + steps) % N_ITEMS, "when": steps + 100}
    return rv.read_interactions(table, timestamp="when")


def slowly(histories, half_life):
    recency = np.zeros(histories.shape)
    for user, row in enumerate(histories.toarray()):
        for item in np.flatnonzero(row):
            recency[user, item] = 2 ** -((row > row[item]).sum() / half_life)
    return recency


@given(
    st.lists(st.lists(st.integers(0, 4), min_size=5, max_size=5), max_size=6),
    st.floats(0.1, 100),
)
def test_an_interaction_weighs_by_how_many_are_later(rows, half_life):
    histories = sp.csr_matrix(np.array(rows, dtype=np.float32).reshape(-1, 5))
    weights = recent(histories, half_life)
    np.testing.assert_allclose(weights.toarray(), slowly(histories, half_life), rtol=1e-5)


def test_the_next_item_is_learnt():
    split = rv.split_last(in_circles())
    model = rv.Transitions().fit(split.train)
    assert rv.evaluate(model, split.test, ["ndcg@1"]).mean["ndcg@1"] == 1
    following, _ = model.similar_items([3], 1)
    assert following.tolist() == [[4]]


def test_a_pair_counts_by_its_distance_and_the_popularity_of_both():
    table = {"user": [0, 0, 0, 1, 1], "item": [0, 1, 2, 2, 0], "when": [1, 2, 3, 4, 5]}
    data = rv.read_interactions(table, timestamp="when")
    model = rv.Transitions(half_life=1.0, power=0.5).fit(data)
    expected = [[0, 1 / 2**0.5, 0.5 / 2], [0, 0, 1 / 2**0.5], [1 / 2, 0, 0]]
    np.testing.assert_allclose(model.neighbors_.toarray(), expected, rtol=1e-5)


def test_items_of_one_moment_lead_to_each_other():
    pairs = rv.Transitions(power=0.0).fit(sp.csr_matrix([[1.0, 1.0]])).neighbors_
    np.testing.assert_array_equal(pairs.toarray(), [[0, 1], [1, 0]])


@pytest.mark.parametrize("model", READ_ORDER, ids=lambda model: model.name)
def test_what_is_recent_counts_more(model):
    data = in_circles()
    plain = options.build(type(model), {**options.values(model), "half_life": None})
    model, plain = model.fit(data), plain.fit(data)
    one, other = sp.csr_matrix([[1.0, 2, 0, 0, 0, 0, 0, 0, 9, 0, 0, 0]]), None
    other = one.copy()
    other.data = other.data[::-1].copy()
    assert not np.allclose(*(model.score(history).cpu() for history in (one, other)))
    np.testing.assert_array_equal(*(plain.score(history).cpu() for history in (one, other)))
    alike = one.copy()
    alike.data[:] = 1
    np.testing.assert_allclose(model.score(alike).cpu(), plain.score(alike).cpu(), rtol=1e-4)


def test_the_ensemble_with_a_half_life_reads_what_comes_next():
    small = {"latent": 8, "width": 16, "epochs": 2, "rank": 4, "factors": 4, "device": "cpu"}
    split = rv.split_last(in_circles())
    model = rv.ResidualEnsemble(half_life=5.0, **small).fit(split.train)
    assert "transitions" in model.members_
    assert rv.evaluate(model, split.test, ["hit@3"]).mean["hit@3"] > 0.9
    assert "transitions" not in rv.ResidualEnsemble(**small).fit(split.train).members_


def test_interactions_are_ordered_where_they_are_read():
    data = in_circles()
    model = rv.EASE(half_life=1.0).fit(data)
    lists = model.recommend(data, 3)
    assert [part.tolist() for part in lists] == [
        part.tolist() for part in model.recommend(data.in_order().matrix, 3)
    ]


def test_an_update_comes_after_what_was_there():
    data = in_circles()
    early = data.keep(data.timestamps < 103)
    late = data.keep(data.timestamps >= 103)
    model = rv.Transitions().fit(early, keep_data=True).update(late)
    whole = rv.Transitions().fit(data)
    np.testing.assert_allclose(model.neighbors_.toarray(), whole.neighbors_.toarray(), rtol=1e-5)


def test_without_times_there_is_no_order():
    data = replace(in_circles(), timestamps=None)
    for model in (rv.Transitions(), rv.EASE(half_life=3.0)):
        with pytest.raises(DataError, match="have no timestamps"):
            model.fit(data)


def test_weights_and_the_order_are_not_read_at_once():
    with pytest.raises(OptionError, match="leave out input or half_life"):
        rv.ItemKNN(input="counts", half_life=3.0).fit(in_circles())


def test_a_graph_does_not_read_the_order():
    model = rv.EASE(half_life=3.0).fit(in_circles())
    with pytest.raises(OptionError, match="reads the order"):
        rv.export_onnx(model, "unused.onnx")


def test_a_data_frame_in_order():
    table = pd.DataFrame({"user": [1, 1, 1, 2], "item": [5, 6, 7, 5], "when": [3, 1, 1, 9]})
    data = rv.read_interactions(table, timestamp="when")
    assert data.in_order().matrix.data.tolist() == [3, 1, 2, 1]
    assert data.in_order(after=10).matrix.data.tolist() == [13, 11, 12, 11]


def test_a_half_life_is_tuned_if_there_is_one():
    split = rv.split_last(in_circles())
    for model in (rv.EASE(half_life=4.0), rv.EASE()):
        tuned = rv.tune(model, split.train, split.validation, trials=2)
        for told in (tuned.trials, tuned.chosen):
            assert ("half_life" in told) == (model.half_life is not None)


def test_a_request_is_in_order():
    requests = [History(items=[5, 3, 4]), History(items=[5, 3], weights=[9, 1])]
    for half_life, row in ((None, [1, 1, 1]), (2.0, [2, 3, 1])):
        catalogue = Catalogue(rv.EASE(half_life=half_life).fit(in_circles()))
        histories = catalogue.histories(requests).toarray()
        assert histories[0, 3:6].tolist() == row
        assert histories[1, 3:6].tolist() == [1, 0, 9]


def test_an_item_that_comes_again_in_a_request_is_as_recent_as_its_last_time():
    catalogue = Catalogue(rv.EASE(half_life=2.0).fit(in_circles()))
    once, again = catalogue.histories(
        [History(items=[3, 5, 4]), History(items=[5, 3, 3, 99, 3, 5, 4])]
    )
    np.testing.assert_array_equal(recent(again, 2.0).toarray(), recent(once, 2.0).toarray())


def test_shards_hold_no_order(tmp_path):
    rv.EASE(half_life=3.0).fit(in_circles()).save(tmp_path / "model")
    pd.DataFrame({"user": [1, 2], "item": [0, 1]}).to_parquet(tmp_path / "likes.parquet")
    shards = rv.shard_table(tmp_path / "likes.parquet", tmp_path / "shards")
    with pytest.raises(OptionError, match="shards hold no times: leave out half_life"):
        rv.MultVAE(half_life=3.0).fit(shards)
    with pytest.raises(OptionError, match="reads the order"):
        rv.recommend_shards(tmp_path / "model", tmp_path / "shards", tmp_path / "lists")


def test_a_table_of_histories_is_read_in_order():
    data = in_circles()
    model = rv.Transitions().fit(data)
    table = {"user": ["a"] * 4 + ["b"], "item": [4, 3, 2, 4, 7], "when": [5, 9, 7, 1, 2]}
    lists = model.recommend_table(table, 1, timestamp="when")  # a had 4 at 5, 2 at 7, 3 at 9
    again = model.recommend(
        sp.csr_matrix(([1.0, 2, 3, 1], ([0, 0, 0, 1], [4, 2, 3, 7])), (2, 12)), 1
    )
    assert lists["item"].tolist() == again[0].ravel().tolist()
    np.testing.assert_allclose(lists["score"], again[1].ravel(), rtol=1e-5)
    with pytest.warns(MissingWeightsWarning, match="no column of times was named"):
        alike = model.recommend_table(table, 1, value="when", duplicates="last")
    ones = sp.csr_matrix(([1.0, 1, 1, 1], ([0, 0, 0, 1], [4, 2, 3, 7])), (2, 12))
    assert alike["item"].tolist() == model.recommend(ones, 1)[0].ravel().tolist()


def test_a_history_of_one_item_has_an_order():
    model = rv.EASE(half_life=1.0).fit(in_circles())
    one = in_circles().select_users([0])
    one = one.keep(np.arange(one.matrix.nnz) == 0)
    alone = sp.csr_matrix(one.matrix.toarray() > 0, dtype=np.float32)
    np.testing.assert_array_equal(model.recommend(one, 3)[0], model.recommend(alone, 3)[0])
