"""Shards hold what the same table gives in memory."""

import errno
import signal
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from time import sleep
from unittest.mock import Mock

import duckdb
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tables_in_parts import write_parts

import recvae as rv
from recvae.cluster import job as jobs
from recvae.cluster import shard
from recvae.data.reading import DuplicateWarning
from recvae.data.shards import files
from recvae.errors import DataError, MissingFileError, OptionError, WriteError

pytestmark = pytest.mark.slow

FILTERS = [
    {},
    {"value": "plays", "min_weight": 1.0, "duplicates": "last"},
    {"value": "plays", "min_weight": 1.0, "duplicates": "max"},
    {
        "value": "plays",
        "min_weight": 2.0,
        "min_user_items": 4,
        "min_item_users": 12,
        "duplicates": "sum",
    },
    {"min_user_items": 10, "min_item_users": 35, "k_core": True},
]


FULL = "No space left on device"


@pytest.mark.parametrize(
    ("step", "error"),
    [
        ("duckdb.connect", duckdb.IOException(f"IO Error: {FULL}")),
        ("recvae.cluster.shard.write_shard", OSError(errno.ENOSPC, FULL)),
    ],
)
def test_a_full_disk_is_one_clear_error(step, error, tmp_path, monkeypatch):
    table, out = tmp_path / "likes.parquet", tmp_path / "shards"
    pd.DataFrame({"user": [1, 2], "item": [3, 4]}).to_parquet(table)
    with monkeypatch.context() as patch:
        patch.setattr(step, Mock(side_effect=error))
        with pytest.raises(WriteError, match=rf"{FULL}.* room\.$"):
            rv.shard_table(table, out)
    assert rv.shard_table(table, out).shape == (2, 2)


def require_same(shards, data):
    """The same users, items, weights and order of the source."""
    found = shards.in_memory()
    pd.testing.assert_frame_equal(found.users, data.users)
    pd.testing.assert_frame_equal(found.items, data.items)
    for name in ("data", "indices", "indptr"):
        np.testing.assert_array_equal(getattr(found.matrix, name), getattr(data.matrix, name))
    assert found.matrix.dtype == data.matrix.dtype
    for rows in np.split(np.arange(found.matrix.nnz), found.matrix.indptr[1:-1]):
        order = np.argsort(data.positions[rows])
        np.testing.assert_array_equal(np.argsort(found.positions[rows]), order)
    assert shards.shape == data.shape
    np.testing.assert_array_equal(shards.item_counts, data.item_counts)


@pytest.mark.parametrize("filters", FILTERS)
@pytest.mark.parametrize("lines", [150, 10**6])
def test_shards_hold_what_the_table_gives_in_memory(parts, tmp_path, filters, lines):
    shards = rv.shard_table(parts, tmp_path / "shards", lines=lines, **filters)
    require_same(shards, rv.read_interactions(parts, **filters))
    assert (len(shards) > 5) == (lines == 150)
    assert max(shards.sizes) < 120 / 5 or lines > 150
    assert [path.name for path in (tmp_path / "shards").glob(".work")] == []


def test_a_k_core_takes_more_than_one_round(parts):
    once = rv.read_interactions(parts, **FILTERS[-1] | {"k_core": False})
    assert once.shape != rv.read_interactions(parts, **FILTERS[-1]).shape


@settings(max_examples=15)
@given(
    lines=st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9), st.integers(0, 3)), min_size=1),
    cuts=st.lists(st.integers(0, 30), max_size=4),
    strings=st.booleans(),
    filters=st.fixed_dictionaries(
        {
            "min_user_items": st.integers(1, 3),
            "min_item_users": st.integers(1, 3),
            "k_core": st.booleans(),
            "min_weight": st.sampled_from([-1.0, 1.0, 2.5]),
            "duplicates": st.sampled_from(["sum", "max", "last"]),
        }
    ),
    at_once=st.sampled_from([1, 3, 50]),
)
def test_any_table_in_any_parts(lines, cuts, strings, filters, at_once):
    table = pd.DataFrame(lines, columns=["user", "item", "plays"])
    if strings:
        table = table.astype({"user": str, "item": str})
    with TemporaryDirectory() as folder:
        parts = write_parts(table, [min(cut, len(table)) for cut in cuts], Path(folder) / "parts")
        out = Path(folder) / "shards"
        options = {"value": "plays", **filters}
        try:
            data = rv.read_interactions(parts, **options)
        except DataError:
            with pytest.raises(DataError, match="no interaction"):
                rv.shard_table(parts, out, lines=at_once, **options)
        else:
            require_same(rv.shard_table(parts, out, lines=at_once, **options), data)


def test_min_weight_needs_weights(tmp_path):
    pd.DataFrame({"user": [1], "item": [2]}).to_parquet(tmp_path / "t.parquet")
    with pytest.raises(OptionError, match="min_weight=2 needs the column of weights"):
        rv.shard_table(tmp_path / "t.parquet", tmp_path / "shards", min_weight=2)


def test_of_ratings_of_one_pair_the_last_counts_and_a_word_says_so(tmp_path):
    table = pd.DataFrame({"user": [1, 1, 1, 2], "item": [7, 7, 8, 7], "stars": [2, 3, 5, 0]})
    table.to_parquet(tmp_path / "t.parquet")
    options = {"value": "stars", "min_weight": 3}
    told = r"1 of 4 lines are of the same user and item"
    with pytest.warns(DuplicateWarning, match=told):
        data = rv.read_interactions(table, **options)
    with pytest.warns(DuplicateWarning, match=told):
        require_same(rv.shard_table(tmp_path / "t.parquet", tmp_path / "s", **options), data)
    assert data.matrix.toarray().tolist() == [[3, 5]]
    with pytest.raises(OptionError, match="duplicates='first' is not possible"):
        rv.shard_table(tmp_path / "t.parquet", tmp_path / "s", **options, duplicates="first")


def test_a_user_with_most_of_the_lines(tmp_path):
    table = pd.DataFrame({"user": [5] * 500 + list(range(20)), "item": np.arange(520) % 130})
    parts = write_parts(table.sample(frac=1, random_state=0), [100, 200], tmp_path / "parts")
    shards = rv.shard_table(parts, tmp_path / "shards", lines=40)
    require_same(shards, rv.read_interactions(parts))


def test_a_single_file_is_a_table_too(plays, tmp_path):
    plays.to_parquet(tmp_path / "plays.parquet")
    shards = rv.shard_table(tmp_path / "plays.parquet", tmp_path / "shards", lines=500)
    require_same(shards, rv.read_interactions(plays))


def test_users_held_out_are_those_of_the_table(parts, tmp_path):
    split = rv.split_users(rv.read_interactions(parts), 20, 30)
    of_shards = rv.split_shards(rv.shard_table(parts, tmp_path / "s", lines=150), 20, 30)
    require_same(of_shards.train, split.train)
    for name in ("validation", "test"):
        theirs, ours = getattr(split, name), getattr(of_shards, name)
        assert ours.user_ids.equals(theirs.user_ids)
        for part in ("fold_in", "held_out"):
            assert (getattr(ours, part) != getattr(theirs, part)).nnz == 0


def test_files_without_lines_may_be_of_any_types(plays, tmp_path):
    parts = write_parts(plays, [100], tmp_path / "parts")
    empty = pa.table({name: pa.nulls(0) for name in ("user", "item")})
    pa.parquet.write_table(empty, parts / "day=00" / "empty.parquet")
    data = rv.read_interactions(parts)
    assert data.fingerprint() == rv.read_interactions(plays).fingerprint()
    require_same(rv.shard_table(parts, tmp_path / "shards"), data)


# What can't be


def test_files_of_other_types_are_refused(plays, parts, tmp_path):
    write_parts(plays, [100], tmp_path / "parts")
    plays.astype({"item": str}).to_parquet(tmp_path / "parts" / "day=09.parquet")
    for read in (rv.read_interactions, lambda path: rv.shard_table(path, tmp_path / "out")):
        with pytest.raises(DataError, match=r"day=09.parquet has other types than .*item int64"):
            read(tmp_path / "parts")


def test_one_clear_error(plays, parts, tmp_path):
    plays.to_csv(tmp_path / "plays.csv")
    (tmp_path / "bad").mkdir()
    (tmp_path / "bad" / "part.parquet").write_bytes(b"PAR1 and nothing else")
    (tmp_path / "none").mkdir()
    out = tmp_path / "out"
    for table, error, match in [
        (tmp_path / "plays.csv", DataError, "is not Parquet"),
        (tmp_path / "bad", DataError, "can't be read as a table"),
        (tmp_path / "none", DataError, "there are no Parquet files"),
        (tmp_path / "nowhere", MissingFileError, "there is no file or folder"),
    ]:
        with pytest.raises(error, match=match):
            rv.shard_table(table, out)
    with pytest.raises(DataError, match="has no column 'who'"):
        rv.shard_table(parts, tmp_path / "who", user="who")
    with pytest.raises(DataError, match="zero or negative: pass min_weight"):
        rv.shard_table(parts, tmp_path / "plays", value="plays")
    rv.shard_table(parts, tmp_path / "plays", value="plays", min_weight=1.0, duplicates="sum")
    with pytest.raises(DataError, match="no interaction is left"):
        rv.shard_table(parts, tmp_path / "few", min_user_items=1000)
    for name in ("lines", "min_user_items", "min_item_users"):
        with pytest.raises(OptionError, match=f"{name}=0 must be at least 1"):
            rv.shard_table(parts, tmp_path / "zero", **{name: 0})
    for memory in (0, float("nan"), float("inf")):
        with pytest.raises(OptionError, match=f"memory={memory} must be above 0 and finite"):
            rv.shard_table(parts, tmp_path / "none", memory=memory)
    with pytest.raises(OptionError, match=r"memory=0.001 is too little for this table"):
        rv.shard_table(parts, tmp_path / "little", memory=0.001)


def test_missing_ids_are_refused(plays, tmp_path):
    plays.assign(user=plays["user"].where(plays.index != 77)).to_parquet(tmp_path / "t.parquet")
    with pytest.raises(DataError, match="1 of the user ids are missing"):
        rv.shard_table(tmp_path / "t.parquet", tmp_path / "shards")


@pytest.mark.parametrize(
    ("column", "values", "match"),
    [
        ("user", [1.5, 2.0], "user ids must be all integers or all strings"),
        ("user", [True, False], "user ids must be all integers or all strings"),
        ("user", ["a", ""], "1 of the user ids are missing"),
        ("item", [1.0, np.nan], "1 of the item ids are missing"),
        ("item", pd.to_datetime(["2020-01-01", "2020-01-02"]), "item ids must be all integers"),
        ("value", ["1", "many"], "the values must be numbers"),
        ("value", pd.to_datetime(["2020-01-01", "2020-01-02"]), "the values must be numbers"),
        ("value", [1.0, np.nan], "1 of the values are missing or infinite"),
        ("value", [1.0, 1e300], "1 of the values are missing or infinite"),
        ("value", [1.0, 1e-300], "1 of the values are zero or negative"),
    ],
)
def test_what_no_table_may_have_is_refused_alike(tmp_path, column, values, match):
    table = pd.DataFrame({"user": [1, 2], "item": [3, 4], "value": [5, 6]}).assign(
        **{column: values}
    )
    table.to_parquet(tmp_path / "t.parquet")
    for read in (
        rv.read_interactions,
        lambda *args, **options: rv.shard_table(*args, tmp_path / "s", **options),
    ):
        with pytest.raises(DataError, match=match):
            read(tmp_path / "t.parquet", value="value")


@pytest.mark.parametrize(
    "users",
    [
        np.array([3, 1, 2**40], dtype=np.int64),
        np.array([3, 1, 7], dtype=np.uint8),
        np.array([3, 1, 2**63 + 5], dtype=np.uint64),
        np.array([3.0, 1.0, 2.0]),
        pd.Categorical(["b", "a", "c"]),
        ["😀", "ﬁ", "z"],
    ],
    ids=["int64", "uint8", "uint64", "whole floats", "categories", "beyond the basic plane"],
)
def test_ids_are_those_of_the_table_in_memory(tmp_path, users):
    table = pd.DataFrame({"user": users, "item": users, "value": ["1", "2.5", "3"]})
    table.to_parquet(tmp_path / "t.parquet")
    shards = rv.shard_table(tmp_path / "t.parquet", tmp_path / "s", value="value")
    require_same(shards, rv.read_interactions(tmp_path / "t.parquet", value="value"))


WIDTHS = {
    "integers": (np.array([1, 2], np.int32), np.array([2, 2**40], np.int64)),
    "small integers": (np.array([1, 255], np.uint8), np.array([1, -7], np.int16)),
    "strings": (pa.array(["a", "b"], pa.string()), pa.array(["b", "c"], pa.large_string())),
    "bytes": (pa.array([b"a", b"\xc3\xa9"]), pa.array(["\xe9", "c"])),
    "times": tuple(pa.array([10, 20]).cast(pa.timestamp(unit)) for unit in ("us", "ns")),
}


@pytest.mark.parametrize("kind", WIDTHS)
@pytest.mark.parametrize("order", [1, -1])
def test_types_may_have_two_widths(tmp_path, kind, order):
    for number, values in enumerate(WIDTHS[kind][::order]):
        user, when = (pa.array([1, 2]), values) if kind == "times" else (values, pa.array([1, 2]))
        table = pa.table({"user": user, "item": [3, number], "when": when, f"own{number}": [0, 0]})
        pa.parquet.write_table(table, tmp_path / f"{number}.parquet")
    data = rv.read_interactions(tmp_path, timestamp="when")
    require_same(rv.shard_table(tmp_path, tmp_path.with_name(f"{tmp_path.name}-shards")), data)
    expected = (
        {1, 2}
        if kind == "times"
        else {
            *pa.concat_arrays(
                [
                    pa.array(values).cast(
                        pa.string() if kind in ("strings", "bytes") else pa.int64()
                    )
                    for values in WIDTHS[kind]
                ]
            ).to_pylist()
        }
    )
    assert {*data.user_ids} == expected


def test_columns_that_nobody_asked_for_are_not_read(tmp_path):
    table = pa.table(
        {"item": [5, 6], "tags": [["a"], ["b"]], "more": [{"a": 1}, None], "user": [1, 2]}
    )
    counts = pa.array([[("a", 1)], None], pa.map_(pa.string(), pa.int64()))
    table = table.append_column("counts", counts)
    frame = table.to_pandas(types_mapper=pd.ArrowDtype)
    for index in (["user"], ["item", "user"], ["tags"]):
        frame.set_index(index).to_parquet(tmp_path / "t.parquet")
        data = rv.read_interactions(tmp_path / "t.parquet")
        assert data.shape == (2, 2)
        shards = rv.shard_table(tmp_path / "t.parquet", tmp_path / "-".join(index))
        require_same(shards, data)


def test_names_that_mean_something_in_sql(plays, tmp_path):
    names = {"user": 'it\'s "so"; --', "item": "SELECT", "plays": "file_index", "title": "select"}
    folder = write_parts(plays.rename(columns=names), [100], tmp_path / "a*[b]? it's {c}")
    columns = {"user": names["user"], "item": "SELECT", "value": "file_index"}
    columns |= {"min_weight": 1, "duplicates": "sum"}
    shards = rv.shard_table(folder, tmp_path / "shards", **columns)
    require_same(shards, rv.read_interactions(folder, **columns))


# What is ended early


def contents(folder):
    """The shards and what names them."""
    return {path.name: path.read_bytes() for path in sorted(folder.glob("[!_.]*"))}


def test_work_that_is_done_is_not_done_again(parts, tmp_path, monkeypatch):
    written, real = [], files.write_shard

    def stop_after_5(data, path):
        if len(written) == 5:
            raise KeyboardInterrupt
        real(data, path)
        written.append(path)

    monkeypatch.setattr(shard, "write_shard", stop_after_5)
    with pytest.raises(KeyboardInterrupt):
        rv.shard_table(parts, tmp_path / "s", lines=150)
    with pytest.raises(MissingFileError, match="give the same command again"):
        rv.read_shards(tmp_path / "s")
    with duckdb.connect(tmp_path / "s" / ".work" / "tables.duckdb") as database:
        database.execute("UPDATE ordered SET weight = 77")  # to see that it is not made again
    monkeypatch.setattr(shard, "write_shard", real)
    marked = [
        (data.matrix.data == 77).all() for data in rv.shard_table(parts, tmp_path / "s", lines=150)
    ]
    assert marked[:5] == [False] * 5
    assert all(marked[5:])
    assert len(marked) > 10


@pytest.mark.parametrize("moment", [".work/*.duckdb", ".work/*.wal", "shard-00002*"])
def test_killed_and_begun_again(parts, tmp_path, moment):
    program = f"import recvae as rv; rv.shard_table({str(parts)!r}, 'shards', lines=150)"
    process = subprocess.Popen([sys.executable, "-c", program], cwd=tmp_path)
    while not any((tmp_path / "shards").glob(moment)):
        assert process.poll() is None
        sleep(0.001)
    process.send_signal(signal.SIGKILL)
    process.wait()
    rv.shard_table(parts, tmp_path / "shards", lines=150)
    rv.shard_table(parts, tmp_path / "undisturbed", lines=150)
    assert contents(tmp_path / "shards") == contents(tmp_path / "undisturbed")


def test_what_is_of_another_job_is_refused(plays, parts, tmp_path):
    shards = tmp_path / "shards"
    rv.shard_table(parts, shards, lines=500)
    with pytest.raises(DataError, match=r"another min_item_users \(1, and not 2\)"):
        rv.shard_table(parts, shards, lines=500, min_item_users=2)
    with pytest.raises(DataError, match="another table"):
        rv.shard_table(write_parts(plays, [9], tmp_path / "parts"), shards, lines=500)
    with pytest.raises(DataError, match="holds other files"):
        rv.shard_table(parts, tmp_path / "parts" / "day=00")
    (shards / "job.json").write_text("[1]")
    with pytest.raises(DataError, match=r"job.json is damaged"):
        rv.shard_table(parts, shards, lines=500)
    with jobs.job_in(tmp_path / "busy", {}), pytest.raises(DataError, match="another process"):
        rv.shard_table(parts, tmp_path / "busy")
