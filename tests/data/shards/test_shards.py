"""Reading shards: what is damaged is refused; choices are as those of `Interactions`."""

import os
import shutil

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from forged_stores import forge, reseal

import recvae as rv
from recvae.data.interactions import Interactions
from recvae.data.shards.files import read_shard, write_shard
from recvae.disk.store import Store
from recvae.errors import DataError
from recvae.models.contract.inputs import as_input


@pytest.fixture(scope="module")
def made(parts, tmp_path_factory):
    folder = tmp_path_factory.mktemp("made") / "shards"
    rv.shard_table(parts, folder, lines=300)
    return folder


@pytest.fixture
def folder(made, tmp_path):
    return shutil.copytree(made, tmp_path / "shards")


def test_a_damaged_shard_is_refused(folder):
    path = folder / "shard-00001.parquet"
    whole = path.read_bytes()
    for damaged in (whole[:-1], whole[:100] + b"?" + whole[101:], b""):
        path.write_bytes(damaged)
        shards = rv.read_shards(folder)
        shards.read(0)
        with pytest.raises(DataError, match=r"shard-00001.parquet is damaged .*checksum"):
            shards.read(1)
        with pytest.raises(DataError, match="is damaged"):
            rv.MultDAE(latent=2, hidden=(4,), epochs=1).fit(shards)
    path.unlink()
    with pytest.raises(DataError, match=r"shard-00001.parquet is damaged or missing"):
        rv.read_shards(folder).read(1)


@pytest.mark.parametrize(
    "change",
    [
        lambda content: content["files"]["items"].update(name="../items.parquet"),
        lambda content: content["facts"].update(shards=[["shard-99999", 30]]),
        lambda content: content["facts"].update(shards=[["shard-00000", -1]]),
        lambda content: content["facts"].update(shards=[[{}, 30]]),
        lambda content: content["facts"].clear(),
        lambda content: content.update(format=2),
    ],
)
def test_a_forged_manifest_is_refused(folder, change):
    reseal(folder / "shards.json", change)
    with pytest.raises(DataError, match="says of its shards is damaged"):
        rv.read_shards(folder)


def test_a_shard_of_other_users_than_the_manifest_says_is_refused(folder):
    def change(content):
        content["facts"]["shards"][0][1] += 1

    reseal(folder / "shards.json", change)
    with pytest.raises(DataError, match=r"shard-00000.parquet is damaged .* users, not"):
        rv.read_shards(folder).read(0)


def test_damaged_items_are_refused(folder):
    path = folder / "items.parquet"
    path.write_bytes(path.read_bytes()[:-9])
    with pytest.raises(DataError, match=r"damaged \(items.parquet does not have its checksum"):
        rv.read_shards(folder)


@pytest.mark.parametrize("name", ["shards.json", "items.parquet", "shard-00000.parquet"])
@pytest.mark.parametrize("trick", ["pipe", "link"])
def test_what_is_no_regular_file_is_refused_and_not_waited_for(folder, tmp_path, name, trick):
    path = folder / name
    path.rename(tmp_path / "aside")
    os.mkfifo(path) if trick == "pipe" else path.symlink_to(tmp_path / "aside")
    with pytest.raises(DataError, match="is no regular file"):
        rv.read_shards(folder).read(0)


MATRIX = sp.csr_matrix(np.array([[1, 0, 2], [0, 0, 0], [0, 3, 0]], dtype=np.float32))
ITEMS = pd.DataFrame(index=pd.Index(["a", "b", "c"], name="item"))


def test_a_shard_of_other_columns_is_refused(folder):
    store = Store(folder, "shards")
    forge(store, "shard-00000", pd.DataFrame({"user": [1], "items": [2]}).to_parquet())
    with pytest.raises(DataError, match=r"shard-00000.parquet is damaged"):
        rv.read_shards(folder).read(0)


def small(**changes):
    users = pd.DataFrame(index=pd.Index([4, 5, 6], name="user"))
    data = Interactions(MATRIX.copy(), users, ITEMS, positions=np.array([7, 2, 9]))
    for name, value in changes.items():
        setattr(data.matrix, name, np.array(value, getattr(data.matrix, name).dtype))
    return data


def test_a_file_gives_back_what_was_written(tmp_path):
    write_shard(small(), tmp_path / "shard.parquet")
    found = read_shard((tmp_path / "shard.parquet").read_bytes(), ITEMS)
    np.testing.assert_array_equal(found.matrix.toarray(), MATRIX.toarray())
    assert found.user_ids.tolist() == [4, 5, 6]
    assert found.positions.tolist() == [7, 2, 9]


@pytest.mark.parametrize(
    "changes",
    [
        {"indices": [2, 0, 1]},
        {"indices": [0, 0, 1]},
        {"indices": [0, 3, 1]},
        {"indices": [-1, 2, 1]},
        {"data": [1, 0, 1]},
        {"data": [1, -2, 1]},
        {"data": [1, np.nan, 1]},
        {"data": [1, np.inf, 1]},
    ],
)
def test_what_is_no_matrix_is_refused(tmp_path, changes):
    write_shard(small(**changes), tmp_path / "shard.parquet")
    with pytest.raises(ValueError, match=r"columns|indices|weights must"):
        read_shard((tmp_path / "shard.parquet").read_bytes(), ITEMS)


def test_what_is_chosen(folder, parts):
    data, shards = rv.read_interactions(parts), rv.read_shards(folder)
    rows, columns = np.arange(3, 100, 3), np.arange(1, 40, 2)
    chosen = shards.select_users(rows).select_items(columns)
    expected = data.select_users(rows).select_items(columns)
    assert (chosen.in_memory().matrix != expected.matrix).nnz == 0
    assert chosen.item_ids.equals(expected.item_ids)
    assert chosen.user_ids.equals(expected.user_ids)
    np.testing.assert_array_equal(chosen.item_counts, expected.item_counts)
    again = chosen.select_users(np.array([0, 4])).select_items(np.array([2, 3]))
    expected = expected.select_users([0, 4]).select_items([2, 3])
    assert (again.in_memory().matrix != expected.matrix).nnz == 0
    assert set(chosen.weighed(as_input).in_memory().matrix.data) == {1.0}
    prints = {some.fingerprint() for some in (shards, chosen, again, shards.select_users(rows))}
    assert len(prints) == 4
