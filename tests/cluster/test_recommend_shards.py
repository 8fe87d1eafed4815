"""Lists for the users of shards are those of the same users in memory."""

import numpy as np
import pandas as pd
import pytest

import recvae as rv
from recvae.cluster import recommend
from recvae.data.reading import UnknownItemWarning
from recvae.errors import DataError, MissingFileError, OptionError
from recvae.models import EmptyHistoryWarning


@pytest.fixture(scope="module")
def shards(parts, tmp_path_factory):
    out = tmp_path_factory.mktemp("recommending") / "shards"
    rv.shard_table(parts, out, lines=300)
    return out


@pytest.fixture(scope="module")
def model(shards, tmp_path_factory):
    folder = tmp_path_factory.mktemp("model")
    options = {"latent": 4, "hidden": (8,), "epochs": 2, "input": "counts", "device": "cpu"}
    rv.MultVAE(**options).fit(rv.read_shards(shards)).save(folder)
    return folder


def lists_of(files):
    return pd.concat([pd.read_parquet(path) for path in files], ignore_index=True)


def in_memory(model, table, k):
    lists = rv.load_model(model, device="cpu").recommend_table(table, k=k)
    return lists.sort_values(["user", "rank"], ignore_index=True)


@pytest.mark.slow
def test_lists_are_those_of_the_same_users_in_memory(model, shards, plays, tmp_path):
    files = rv.recommend_shards(model, shards, tmp_path / "lists", k=5, device="cpu")
    assert len(files) == len(rv.read_shards(shards)) > 5
    pd.testing.assert_frame_equal(lists_of(files), in_memory(model, plays, 5))
    assert (tmp_path / "lists" / "_SUCCESS").exists()


@pytest.mark.filterwarnings("ignore::recvae.models.EmptyHistoryWarning")
def test_items_that_the_model_does_not_know_are_skipped(model, tmp_path):
    rng = np.random.default_rng(1)
    table = pd.DataFrame({"user": rng.integers(0, 30, 200), "item": rng.integers(530, 550, 200)})
    table.to_parquet(tmp_path / "t.parquet")
    rv.shard_table(tmp_path / "t.parquet", tmp_path / "shards", lines=60)
    with pytest.warns(UnknownItemWarning, match=r"\d+ of \d+ item ids are unknown"):
        files = rv.recommend_shards(model, tmp_path / "shards", tmp_path / "lists", device="cpu")
    with pytest.warns(UnknownItemWarning):
        expected = in_memory(model, table, 10)
    pd.testing.assert_frame_equal(lists_of(files), expected)


def test_users_without_a_known_item_get_the_most_popular(model, tmp_path):
    table = pd.DataFrame({"user": ["a", "a", "b"], "item": [501, 7, 7]})
    table.to_parquet(tmp_path / "t.parquet")
    rv.shard_table(tmp_path / "t.parquet", tmp_path / "shards")
    with pytest.warns(UnknownItemWarning), pytest.warns(EmptyHistoryWarning, match="1 of 2"):
        files = rv.recommend_shards(model, tmp_path / "shards", tmp_path / "lists", 3, device="cpu")
    counts = rv.load_model(model, device="cpu").item_counts_
    assert lists_of(files)["score"].tolist()[3:] == sorted(counts, reverse=True)[:3]


@pytest.mark.filterwarnings("ignore::recvae.models.MissingWeightsWarning")
def test_ids_of_another_type_than_the_models(model, tmp_path):
    known = rv.load_model(model, device="cpu").item_ids_[:2]
    table = pd.DataFrame({"user": ["a", "a", "b"], "item": [*known.astype(str), "x"]})
    table.to_parquet(tmp_path / "t.parquet")
    rv.shard_table(tmp_path / "t.parquet", tmp_path / "shards")
    with pytest.warns(UnknownItemWarning, match="1 of 3"), pytest.warns(EmptyHistoryWarning):
        files = rv.recommend_shards(model, tmp_path / "shards", tmp_path / "lists", 3, device="cpu")
    mine = pd.DataFrame({"user": ["a", "a"], "item": known})
    expected = rv.load_model(model, device="cpu").recommend_table(mine, 3)
    assert lists_of(files)["item"].tolist()[:3] == expected["item"].tolist()


def test_lists_that_are_there_are_not_made_again(model, shards, tmp_path):
    files = rv.recommend_shards(model, shards, tmp_path / "lists", k=5, device="cpu")
    before = lists_of(files)
    files[2].unlink()
    marked = files[1].stat().st_mtime_ns
    assert rv.recommend_shards(model, shards, tmp_path / "lists", k=5, device="cpu") == files
    assert files[1].stat().st_mtime_ns == marked
    pd.testing.assert_frame_equal(lists_of(files), before)
    with pytest.raises(DataError, match=r"another k \(5, and not 6\)"):
        rv.recommend_shards(model, shards, tmp_path / "lists", k=6, device="cpu")


def test_one_clear_error(model, shards, tmp_path):
    with pytest.raises(MissingFileError, match="there is no model"):
        rv.recommend_shards(tmp_path, shards, tmp_path / "a")
    with pytest.raises(MissingFileError, match="there are no shards"):
        rv.recommend_shards(model, tmp_path, tmp_path / "b")
    with pytest.raises(OptionError, match="k=1000"):
        rv.recommend_shards(model, shards, tmp_path / "c", k=1000, device="cpu")
    with pytest.raises(OptionError, match="choose another folder for the lists"):
        rv.recommend_shards(model, shards, shards, device="cpu")
    pd.DataFrame({"user": [1, 2], "item": ["x", "y"]}).to_parquet(tmp_path / "t.parquet")
    rv.shard_table(tmp_path / "t.parquet", tmp_path / "other")
    with pytest.raises(DataError, match="knows no item of the histories: theirs are such as x"):
        rv.recommend_shards(model, tmp_path / "other", tmp_path / "d", device="cpu")


def test_a_model_that_changes_meanwhile(model, shards, tmp_path, monkeypatch):
    own = tmp_path / "model"
    rv.load_model(model, device="cpu").save(own)
    usual = recommend.recommend_shard

    def change(number, **arguments):
        if number == 1:  # as another process finds it
            recommend._load.cache_clear()
            rv.Popularity().fit(rv.read_shards(shards)).save(own)
        usual(number, **arguments)

    monkeypatch.setattr(recommend, "recommend_shard", change)
    with pytest.raises(DataError, match="has changed meanwhile"):
        rv.recommend_shards(own, shards, tmp_path / "lists", k=5, device="cpu")
