import gzip
import lzma
import warnings
from datetime import date
from decimal import Decimal

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recvae.data.reading import (
    DuplicateWarning,
    UnknownItemWarning,
    build_interactions,
    read_histories,
    read_interactions,
)
from recvae.errors import DataError, MissingFileError, OptionError

TABLE = pd.DataFrame({"user": [7, 3, 7], "item": ["b", "a", "a"], "plays": [2.0, 1.0, 4.0]})


def as_dict(data):
    """Weights by raw ids."""
    coo = data.matrix.tocoo()
    ids = zip(data.user_ids[coo.row], data.item_ids[coo.col], strict=True)
    return dict(zip(ids, coo.data.tolist(), strict=True))


# build_interactions


def test_rows_and_columns_ascend_by_raw_id():
    data = build_interactions([7, 3, 7], ["b", "a", "a"], [2, 1, 4])
    np.testing.assert_array_equal(data.matrix.toarray(), [[1, 0], [4, 2]])
    assert data.matrix.dtype == np.float32
    assert data.matrix.has_canonical_format
    assert (list(data.user_ids), data.user_ids.name) == ([3, 7], "user")
    assert (list(data.item_ids), data.item_ids.name) == (["a", "b"], "item")
    assert data.positions.tolist() == [1, 2, 0]
    assert data.timestamps is None


def test_without_values_each_line_counts_as_one():
    assert as_dict(build_interactions([1, 1, 1], [5, 5, 6])) == {(1, 5): 2, (1, 6): 1}


@pytest.mark.parametrize(("duplicates", "weight"), [("sum", 10.0), ("max", 5.0), ("last", 2.0)])
def test_duplicates(duplicates, weight):
    # The latest time is 30: of the lines with weights 1 and 2 the last one counts.
    data = build_interactions(
        [1] * 4, [1] * 4, [5, 1, 2, 2], [20, 30, 30, 10], duplicates=duplicates
    )
    assert as_dict(data) == {(1, 1): weight}
    assert data.timestamps.tolist() == [30]
    assert data.positions.tolist() == [0]


def test_the_last_duplicate_without_timestamps_is_the_last_line():
    data = build_interactions([1, 2, 1], [1, 1, 1], [5, 7, 2], duplicates="last")
    assert as_dict(data) == {(1, 1): 2, (2, 1): 7}


def test_unknown_way_of_merging():
    with pytest.raises(OptionError, match="did you mean 'max'"):
        build_interactions([1], [1], duplicates="maxx")


LINES = st.tuples(
    st.integers(-3, 3),
    st.sampled_from(["", "a", "é", "10", "9", "NA"]).map("x".__add__),
    st.integers(1, 9),
    st.integers(-5, 5),
)


@given(st.lists(LINES, min_size=1, max_size=40), st.sampled_from(["sum", "max", "last"]))
def test_against_pandas(lines, duplicates):
    table = pd.DataFrame(lines, columns=["user", "item", "value", "time"])
    data = build_interactions(*(table[name] for name in table), duplicates=duplicates)
    table["line"] = np.arange(len(table))
    groups = table.sort_values(["time", "line"]).groupby(["user", "item"])
    expected = groups.agg({"value": duplicates, "time": "max", "line": "min"}).sort_index()
    assert list(data.user_ids) == sorted(set(table["user"]))
    assert list(data.item_ids) == sorted(set(table["item"]))
    ids = zip(data.user_ids[data.rows], data.item_ids[data.matrix.indices], strict=True)
    assert list(ids) == list(expected.index)
    np.testing.assert_array_equal(data.matrix.data, expected["value"])
    np.testing.assert_array_equal(data.timestamps, expected["time"])
    np.testing.assert_array_equal(data.positions, expected["line"])


@pytest.mark.parametrize(
    ("ids", "expected"),
    [
        ([10**15, -5, 10**15], [-5, 10**15]),
        (np.array([2**64 - 1, 3], dtype=np.uint64), [3, 2**64 - 1]),
        (np.array([-128, 127], dtype=np.int8), [-128, 127]),
        ([2.0, 1.0], [1, 2]),
        (pd.array([2, 1], dtype="Int64"), [1, 2]),
        (np.array([2, 1], dtype=object), [1, 2]),
        (np.array([Decimal(2), Decimal("1.0")]), [1, 2]),
        (np.array([Decimal(2**60 + 1), Decimal(1)]), [1, 2**60 + 1]),
        (np.array([2**24 - 1, 1], np.float32), [1, 2**24 - 1]),
        ([2.0**53 - 1, 1.0], [1, 2**53 - 1]),
        (pd.array([2, 1], dtype="double[pyarrow]"), [1, 2]),
        (pd.Categorical([5, 4], categories=[3, 4, 5]), [4, 5]),
        (pd.Categorical(["b", "a"], categories=["c", "b", "a"]), ["a", "b"]),
        (np.array(["10", "9"]), ["10", "9"]),
        (pd.Series(["10", "9"], index=[5, 5]), ["10", "9"]),
    ],
)
def test_ids_of_many_types(ids, expected):
    data = build_interactions(ids, np.arange(len(ids)))
    assert list(data.user_ids) == expected
    ids = np.asarray(ids).tolist()
    assert as_dict(data) == {(user, line): 1 for line, user in enumerate(ids)}


@pytest.mark.parametrize(
    "ids", [[1.0, np.nan], ["a", None], ["a", ""], pd.Categorical(["a", None]), [None, 3]]
)
def test_missing_ids(ids):
    with pytest.raises(DataError, match="1 of the item ids are missing"):
        build_interactions([1, 2], ids)


ROUNDED = [
    [2.0**53, 1.0],  # 2^53 + 1 as a float
    [-(2.0**53), 1.0],
    np.array([2**24, 1], np.float32),
    pd.array([2**53, 1], dtype="Float64"),
    pd.array([2**53, 1], dtype="double[pyarrow]"),
]
NO_IDS = [
    *ROUNDED,
    *([1.5, 2.0], [b"a", b"b"], [True, False], [2**64, 1], [-1, 2**63]),
    [Decimal("1.5"), Decimal(1)],
    [Decimal(10**40), Decimal(1)],
]


@pytest.mark.parametrize("ids", [["a", 1], [[1], [2]], *NO_IDS])
def test_ids_that_are_neither_integers_nor_strings(ids):
    with pytest.raises(DataError, match="user ids must be all integers or all strings"):
        build_interactions(ids, [1, 2])


def test_lengths_that_differ():
    with pytest.raises(DataError, match="users 2, items 1"):
        build_interactions([1, 2], [1])


def test_no_lines():
    with pytest.raises(DataError, match="the table has no rows"):
        build_interactions([], [])


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (np.nan, "1 of the values are missing or infinite"),
        (np.inf, "missing or infinite"),
        (1e300, "missing or infinite"),
        (0, "zero or negative: pass min_weight to drop them, or leave out value"),
        (-1, "zero or negative"),
        ("many", "must be numbers.*: could not convert"),
    ],
)
def test_values_that_are_no_weights(value, message):
    with pytest.raises(DataError, match=message):
        build_interactions([1, 2], [1, 2], [1, value])


@pytest.mark.parametrize("kind", ["datetime64[s]", "timedelta64[s]", complex])
@pytest.mark.parametrize("min_weight", [None, 1])
def test_times_and_complex_numbers_are_no_weights(kind, min_weight):
    table = TABLE.assign(plays=np.array([1, 2, 3]).astype(kind))
    with pytest.raises(DataError, match=r"must be numbers.*: they are of type \w+"):
        read_interactions(table, value="plays", min_weight=min_weight)


def test_dates_in_files_are_no_weights(tmp_path):
    table = TABLE.assign(plays=[date(2018, 4, 23)] * 3)
    table.to_csv(tmp_path / "table.csv", index=False)
    table.to_parquet(tmp_path / "table.parquet")
    for path in tmp_path.iterdir():
        with pytest.raises(DataError, match="must be numbers"):
            read_interactions(path, value="plays")


@pytest.mark.parametrize(
    "times",
    [
        [1_000_000_000, 1_000_000_060],
        [1_000_000_000.0, 1_000_000_060.0],
        [Decimal(1_000_000_000), Decimal(1_000_000_060)],
        pd.Series([1_000_000_000, 1_000_000_060], dtype="int64[pyarrow]"),
        ["1000000000", "1000000060"],
        ["2001-09-09 01:46:40", "2001-09-09 01:47:40"],
        ["2001-09-09T03:46:40+02:00", "2001-09-09T01:47:40Z"],
        ["2001-09-09T03:46:40.000+02:00", "2001-09-09 01:47:40"],
        ["2001-09-09 01:46:40 UTC", "2001-09-09 01:47:40.000000 UTC"],
        pd.to_datetime([1_000_000_000, 1_000_000_060], unit="s"),
        pd.to_datetime([1_000_000_000, 1_000_000_060], unit="s").tz_localize("UTC"),
        np.array(["2001-09-09T01:46:40", "2001-09-09T01:47:40"], dtype="datetime64[ns]"),
    ],
)
def test_times_in_many_forms(times):
    data = build_interactions([1, 2], [1, 1], timestamps=times)
    assert data.timestamps.dtype == np.int64
    assert data.timestamps.tolist() == [1_000_000_000, 1_000_000_060]


@pytest.mark.parametrize(
    "times",
    [
        [1_000_000_000.5, -1.25, 3],
        ["1000000000.5", "-1.25", "3"],
        [Decimal("1000000000.5"), Decimal("-1.25"), Decimal(3)],
        ["2001-09-09T01:46:40.5", "1969-12-31T23:59:58.750", "1970-01-01T00:00:03Z"],
        np.array([1_000_000_000_500, -1_250, 3_000], dtype="datetime64[ms]"),
        np.array(
            [1_000_000_000_500_000_000, -1_250_000_000, 3_000_000_000], dtype="datetime64[ns]"
        ),
    ],
)
def test_fractions_of_a_second_are_kept(times):
    data = build_interactions([1, 2, 3], [1, 1, 1], timestamps=times)
    assert data.timestamps.tolist() == [1_000_000_000.5, -1.25, 3]


WITHIN_A_SECOND = pd.to_datetime("2026-01-01") + pd.to_timedelta([2, 1, 0, 1], unit="us")
AS_TEXT = WITHIN_A_SECOND.map(pd.Timestamp.isoformat)  # which leaves out a fraction of zero


@pytest.mark.parametrize("times", [WITHIN_A_SECOND, AS_TEXT], ids=["times", "text"])
@pytest.mark.parametrize("kind", ["csv", "parquet", "frame"])
def test_what_happened_within_a_second_has_an_order(tmp_path, kind, times):
    table = pd.DataFrame({"user": 1, "item": [5, 6, 7, 5], "stars": [3, 1, 1, 5], "when": times})
    source = table if kind == "frame" else tmp_path / "table"
    if kind == "csv":
        table.to_csv(source, index=False)
    elif kind == "parquet":
        table.to_parquet(source)
    data = read_interactions(source, value="stars", timestamp="when", duplicates="last")
    assert as_dict(data)[1, 5] == 3
    order = np.argsort(data.timestamps)
    assert data.item_ids[data.matrix.indices[order]].tolist() == [7, 6, 5]


@pytest.mark.parametrize("kind", [int, float, str, Decimal])
def test_days_may_be_numbers_and_seconds_are_no_days(tmp_path, kind):
    days = [kind(20180423), kind(20180501)]
    data = build_interactions([1, 2], [1, 1], timestamps=days)
    assert data.timestamps.tolist() == [1_524_441_600, 1_525_132_800]
    path = written(tmp_path, f"user,item,day\n1,1,{days[0]}\n2,1,{days[1]}\n")
    np.testing.assert_array_equal(
        read_interactions(path, timestamp="day").timestamps, data.timestamps
    )
    for numbers in ([20180423, 20180432], [20180423, 1], [19000101.5, 20180423], [99991231] * 2):
        data = build_interactions([1, 2], [1, 1], timestamps=numbers)
        assert data.timestamps.tolist() == numbers


@pytest.mark.parametrize(
    ("times", "message"),
    [
        (["2001-09-09", "some day"], "or dates such as 2018-04-23 .*some day"),
        (["23/04/2018", "24/04/2018"], "or dates such as 2018-04-23 .*: .* 23/04/2018 [^;]*$"),
        (["04/05/2018", "04/06/2018"], "or dates such as 2018-04-23 .*: .* 04/05/2018 [^;]*$"),
        ([1.0, np.nan], "1 of the timestamps are missing"),
        ([1.0, np.inf], "1 of the timestamps are missing"),
        (["2001-09-09", None], "1 of the timestamps are missing"),
        (["5", None], "1 of the timestamps are missing"),
        ([5, 2**63], "be seconds since 1970, .* beyond 64 bits"),
        ([-1e30, 5.0], "be seconds since 1970, .* beyond 64 bits"),
        (["5", "9223372036854775808"], "be seconds since 1970, .* beyond 64 bits"),
    ],
)
def test_times_that_are_none(times, message):
    with pytest.raises(DataError, match=message):
        build_interactions([1, 2], [1, 1], timestamps=times)


# read_interactions


def test_dataframes(frame):
    expected = {(3, "a"): 1, (7, "a"): 4, (7, "b"): 2}
    more = TABLE.assign(when=pd.to_datetime([5, 6, 7], unit="s"), more=[[1], [], [2, 3]])
    data = read_interactions(frame(more), value="plays", timestamp="when")
    assert as_dict(data) == expected
    assert data.timestamps.tolist() == [6, 7, 5]
    assert (data.user_ids.dtype, data.item_ids.inferred_type) == (np.int64, "string")


def test_arrays_and_any_index():
    expected = {(3, "a"): 1, (7, "a"): 4, (7, "b"): 2}
    assert as_dict(read_interactions(TABLE, value="plays")) == expected
    shuffled_index = TABLE.set_axis([9, 9, 1])
    assert as_dict(read_interactions(shuffled_index, value="plays", min_weight=1)) == expected
    arrays = {name: TABLE[name].to_list() for name in TABLE}
    assert as_dict(read_interactions(arrays, value="plays")) == expected


@pytest.mark.parametrize("delimiter", [",", "\t", ";", "|"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("suffix", [".csv", ".csv.gz"])
def test_text_files(tmp_path, delimiter, end, suffix):
    text = TABLE.to_csv(sep=delimiter, index=False, lineterminator=end)
    path = tmp_path / f"plays{suffix}"
    path.write_bytes(gzip.compress(text.encode()) if suffix.endswith("gz") else text.encode())
    data = read_interactions(path, value="plays")
    assert as_dict(data) == {(3, "a"): 1, (7, "a"): 4, (7, "b"): 2}
    assert data.user_ids.dtype == np.int64


def test_parquet(tmp_path):
    TABLE.assign(when=pd.to_datetime([5, 6, 7], unit="s")).to_parquet(tmp_path / "plays")
    data = read_interactions(tmp_path / "plays", value="plays", timestamp="when")
    assert as_dict(data) == {(3, "a"): 1, (7, "a"): 4, (7, "b"): 2}
    assert data.timestamps.tolist() == [6, 7, 5]


@pytest.mark.parametrize("index", [["user"], ["item", "user"], ["more"]])
def test_of_parquet_only_the_columns_that_are_asked_for_are_read(tmp_path, index):
    kinds = {
        "more": pa.array([1, 2, 3]),
        "tags": pa.array([["a"], [], None]),
        "place": pa.array([{"town": "x"}, None, {"town": None}]),
        "counts": pa.array([[("a", 1)], [], None], pa.map_(pa.string(), pa.int64())),
        "bytes": pa.array([b"\xff", None, b""]),
    }
    table = pa.Table.from_pandas(TABLE.assign(more=1).set_index(index))
    for name, values in kinds.items():
        table = table.set_column(table.num_columns, name, values) if name != "more" else table
    assert table.schema.pandas_metadata["index_columns"] == index
    pa.parquet.write_table(table, tmp_path / "plays.parquet")
    expected = {(3, "a"): 1, (7, "a"): 4, (7, "b"): 2}
    for source in (tmp_path / "plays.parquet", tmp_path, table):
        assert as_dict(read_interactions(source, value="plays")) == expected


def test_ids_of_parquet_may_be_bytes(tmp_path):
    """As Spark, Hive and Impala write texts."""
    path = tmp_path / "plays.parquet"
    table = pa.Table.from_pandas(TABLE, preserve_index=False)
    for kind in (pa.binary(), pa.large_binary(), pa.dictionary(pa.int32(), pa.binary())):
        item = table["item"].cast(pa.binary())
        item = item.dictionary_encode() if pa.types.is_dictionary(kind) else item.cast(kind)
        pa.parquet.write_table(table.set_column(1, "item", item), path)
        assert as_dict(read_interactions(path, value="plays"))[7, "b"] == 2
        with pytest.warns(UnknownItemWarning, match="2 of 3"):
            data = read_histories(path, pd.Index(["b"]), user="user", item="item")
        assert (data.matrix.toarray().tolist(), list(data.user_ids)) == ([[1], [0]], [7, 3])


def written(tmp_path, content):
    path = tmp_path / "table.csv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


@pytest.mark.parametrize(
    ("column", "expected"),
    [
        (["007", "7"], ["007", "7"]),
        (['"7"', "12"], [7, 12]),
        (["-7", "0"], [-7, 0]),
        (["38.0", "7.0"], [7, 38]),
        (["38.0", "7", "38", "-2.00"], [-2, 7, 38]),
        (["38.0", "7.5"], ["38.0", "7.5"]),
        (["38.0", "x"], ["38.0", "x"]),
        (["9007199254740993.0", "1"], ["1", "9007199254740993.0"]),
        (["1e3", "5"], ["1e3", "5"]),
        (["NA", "x"], ["NA", "x"]),
        (["9223372036854775807", "-9223372036854775808"], [-(2**63), 2**63 - 1]),
        (["1234567890123456789", " 5", "5"], [5, 1234567890123456789]),
        (["9223372036854775808", "5"], ["5", "9223372036854775808"]),
        ([" a", "a ", "b c"], ["a", "b c"]),
    ],
)
def test_ids_in_text_files_stay_what_they_are(tmp_path, column, expected):
    path = written(tmp_path, "user,item\n" + "".join(f"{user},1\n" for user in column))
    assert list(read_interactions(path).user_ids) == expected


def test_a_file_of_floats_gives_what_the_table_that_it_was_written_from_gives(tmp_path):
    table = pd.DataFrame({"user": [38.0, 7.0, 38.0], "item": [5.0, 5.0, 6.0]})
    table.to_csv(tmp_path / "table.csv", index=False)
    from_file = read_interactions(tmp_path / "table.csv")
    assert from_file.fingerprint() == read_interactions(table).fingerprint()


@pytest.mark.parametrize(
    ("known", "missing"),
    [("1", ""), ("1", "NA"), ("1", "null"), ("1", r"\N"), ("a", r"\N"), ("a", " ")],
)
def test_missing_ids_in_text_files(tmp_path, known, missing):
    path = written(tmp_path, f"user,item\n{known},2\n{missing},3\n")
    with pytest.raises(DataError, match="1 of the user ids are missing"):
        read_interactions(path)


@pytest.mark.parametrize(
    ("encoding", "name"),
    [
        ("utf-8", "Björk"),
        ("utf-8-sig", "Björk"),
        ("latin-1", "Björk"),
        ("cp1252", "“Björk” – 5 €"),
        ("latin-1", "Bj\x81rk"),  # which Windows-1252 does not have
    ],
)
@pytest.mark.parametrize("header", ["user,item", "user,item,größe"])
def test_encodings(tmp_path, encoding, name, header):
    text = f"{header}\n1,{name}{',' * (header.count(',') - 1)}\n"
    data = read_interactions(written(tmp_path, text.encode(encoding)))
    assert list(data.item_ids) == [name]


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_utf_16(tmp_path, encoding, pack):
    mark = "" if encoding == "utf-16" else "\ufeff"
    path = tmp_path / f"t.{'csv' if pack is bytes else 'gz'}"
    path.write_bytes(pack(f"{mark}user,item\n1,Björk\n2,Ænima\n".encode(encoding)))
    assert as_dict(read_interactions(path)) == {(1, "Björk"): 1, (2, "Ænima"): 1}


def test_utf_16_that_is_damaged(tmp_path):
    content = "user,item\n1,a\n".encode("utf-16")
    for damaged in (content[:-1], content + b"\x00\xd8", content[2:]):
        with pytest.raises(DataError, match=r"can't be read as a table|is a binary file"):
            read_interactions(written(tmp_path, damaged))


def test_quoted_delimiters_and_line_breaks(tmp_path):
    text = 'user,review,item\n1,"good, very\ngood",5\n2,"so ""so""",6\n'
    assert as_dict(read_interactions(written(tmp_path, text))) == {(1, 5): 1, (2, 6): 1}


UNBALANCED = "".join(
    f"{n}\t{n % 7}\t{name}\n" for n, name in enumerate(['"Weird Al', *"ab", 'x"y'])
)


@pytest.mark.parametrize("columns", [["user", "item", "name"], ["user", "n", "item"]])
def test_a_quote_that_swallows_lines_is_refused(tmp_path, columns):
    header = "\t".join(columns) + "\n"
    for text in (UNBALANCED, UNBALANCED + "5\t5\tz\n", UNBALANCED.replace('x"', "x")):
        path = written(tmp_path, header + text)
        with pytest.raises(
            DataError, match=r"within the quotes of others .*: .* pass quotes=False"
        ):
            read_interactions(path)
        assert read_interactions(path, quotes=False).matrix.nnz == text.count("\n")
    path = written(tmp_path, header + UNBALANCED.replace("y", "") * 200_000)
    with pytest.raises(DataError, match=r"a quote is not closed: .* pass quotes=False"):
        read_interactions(written(tmp_path, header + '1\t1\t"\n' + "1\t1\ta\n" * 400_000))


def test_without_quoting_a_quote_is_a_part_of_an_id(tmp_path):
    path = written(tmp_path, 'user\titem\n1\t"Weird Al"\n2\tWeird Al\n3\t12" vinyl\n')
    assert read_interactions(path).item_ids.tolist() == ['12" vinyl', "Weird Al"]
    expected = ['"Weird Al"', '12" vinyl', "Weird Al"]
    assert read_interactions(path, quotes=False).item_ids.tolist() == expected


@pytest.mark.parametrize("header", ["user::item::plays::when\n", ""])
def test_two_colons(tmp_path, header):
    path = written(tmp_path, header + "1::1193::5::978300760\n2::661::3::978302109\n")
    names = None if header else ["user", "item", "plays", "when"]
    data = read_interactions(path, value="plays", timestamp="when", columns=names)
    assert as_dict(data) == {(1, 1193): 5, (2, 661): 3}
    assert data.timestamps.tolist() == [978300760, 978302109]


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_json_lines(tmp_path, pack):
    table = TABLE.assign(more=[{"a": [1]}, None, {"b": "c"}], user=[2**60, 3, 2**60])
    lines = table.to_json(orient="records", lines=True)
    path = written(tmp_path, pack(lines.encode()))
    data = read_interactions(path, value="plays")
    assert as_dict(data) == {(3, "a"): 1, (2**60, "a"): 4, (2**60, "b"): 2}
    with pytest.raises(DataError, match=r"no column 'who'.* more"):
        read_interactions(path, user="who")
    for wrong in (
        table.to_json(orient="records"),
        table.to_json(orient="records", indent=1),
        "{\n",
    ):
        with pytest.raises(DataError, match="can't be read as JSON, an object a line: "):
            read_interactions(written(tmp_path, wrong))


@pytest.mark.parametrize("written_as", ["3,5", "1,234"])
@pytest.mark.parametrize("line", ["user;item;plays\n1;2;{}\n", 'user,item,plays\n1,2,"{}"\n'])
def test_numbers_with_commas_are_told_what_to_do(tmp_path, line, written_as):
    path = written(tmp_path, line.format(written_as))
    with pytest.raises(DataError, match=r"be numbers, such as 3.5 or 1234: .*" + written_as):
        read_interactions(path, value="plays")


@pytest.mark.parametrize("missing", ["", r"\N", "NULL", "#N/A", "None"])
def test_missing_values_and_times_in_text_files_are_counted(tmp_path, missing):
    path = written(tmp_path, f"user,item,n\n1,2,{missing}\n1,3,4\n")
    with pytest.raises(DataError, match="1 of the values are missing"):
        read_interactions(path, value="n")
    with pytest.raises(DataError, match="1 of the timestamps are missing"):
        read_interactions(path, timestamp="n")


def test_dates_in_text_files(tmp_path):
    text = "user,item,day\n1,5,2001-09-09\n1,6,2001-09-10\n"
    data = read_interactions(written(tmp_path, text), timestamp="day")
    assert np.diff(data.timestamps).tolist() == [86_400]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is empty: it needs a line of column names"),
        (b"\n\n", "is empty"),
        (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "is a binary file"),
        (lzma.compress(b"user,item\n1,2\n"), "is packed as .zip or .xz: unpack it, or pack it as"),
        (b"PK\3\4 of a workbook", r"save a workbook \(.xlsx\) as CSV"),
        (b"SQLite format 3\0", "a database by its address, such as sqlite:///.*, and a query"),
        (b"PAR1 and then nothing of the kind", "can't be read as a table"),
        (b"user,item\n1,2\n1,2,3\n", "can't be read as a table: .*Expected 2 columns, got 3"),
        (b"user,item\n1,2\n1\n", "can't be read as a table: .*got 1: 1"),
        (b"1\t2\n1\t3\n", "first line must name its columns, has no column 'user': known: 1, 2"),
    ],
)
def test_files_that_are_no_tables(tmp_path, content, message):
    with pytest.raises(DataError, match=message) as error:
        read_interactions(written(tmp_path, content))
    assert "table.csv" in str(error.value)


def test_values_in_text_files_that_are_no_numbers(tmp_path):
    path = written(tmp_path, "user,item,plays\n1,2,3\n1,3,many\n")
    with pytest.raises(DataError, match=r"values must be numbers.*: .*many"):
        read_interactions(path, value="plays")


def test_a_file_cut_off(tmp_path):
    path = tmp_path / "table.csv.gz"
    path.write_bytes(gzip.compress(b"user,item\n" + b"1,2\n" * 10_000)[:40])
    with pytest.raises(DataError, match=r"table\.csv\.gz"):
        read_interactions(path)


TRIPLETS = "u1\ts1\t2\nu0\ts1\t1\nu1\ts0\t5\n"


@pytest.mark.parametrize(("name", "pack"), [("plays.txt", bytes), ("plays.gz", gzip.compress)])
def test_a_file_without_a_header(tmp_path, name, pack):
    (tmp_path / name).write_bytes(pack(TRIPLETS.encode()))
    names = {"user": "who", "item": "what", "columns": ["who", "what", "plays"]}
    data = read_interactions(tmp_path / name, **names, value="plays")
    assert as_dict(data) == {("u0", "s1"): 1, ("u1", "s0"): 5, ("u1", "s1"): 2}
    assert data.positions.tolist() == [1, 2, 0]


@pytest.mark.parametrize("text", ["1,38,5\n2,7,4\n", "ann,x,5.0\n"])
def test_a_first_line_of_data_is_told_what_to_do(tmp_path, text):
    said = r"no column 'user'.* name all .* columns=\['user', 'item', \.\.\.\]\.$"
    with pytest.raises(DataError, match=said):
        read_interactions(written(tmp_path, text))
    with pytest.raises(DataError, match="no column 'user'") as error:
        read_interactions(written(tmp_path, "who,what\n1,2\n"))
    assert "columns=" not in str(error.value)


def test_columns_that_can_not_be(tmp_path, frame):
    (tmp_path / "triplets.txt").write_text(TRIPLETS)
    with pytest.raises(DataError, match="columns has no column 'user'"):
        read_interactions(tmp_path / "triplets.txt", columns=["who", "item", "plays"])
    with pytest.raises(DataError, match="can't be read as a table"):
        read_interactions(tmp_path / "triplets.txt", columns=["user", "item"])
    with pytest.raises(OptionError, match="text file only"):
        read_interactions(frame(TABLE), columns=["user", "item", "plays"])
    TABLE.to_parquet(tmp_path / "plays.parquet")
    with pytest.raises(OptionError, match="text file only"):
        read_interactions(tmp_path / "plays.parquet", columns=["user", "item", "plays"])


def test_a_header_only(tmp_path):
    with pytest.raises(DataError, match="the table has no rows"):
        read_interactions(written(tmp_path, "user,item\n"))


def test_no_such_file(tmp_path):
    with pytest.raises(MissingFileError, match=r"no file .*nowhere\.csv"):
        read_interactions(tmp_path / "nowhere.csv")


def test_no_such_column(frame):
    with pytest.raises(DataError, match=r"'play': did you mean 'plays'\? .*are: user, item, plays"):
        read_interactions(frame(TABLE), value="play")


def test_columns_without_names_have_numbers():
    table = TABLE.set_axis(range(3), axis=1)
    assert as_dict(read_interactions(table, user=0, item=1)) == as_dict(read_interactions(TABLE))
    with pytest.raises(DataError, match=r"no column '0': did you mean 0\?"):
        read_interactions(table, user="0", item=1)
    with pytest.raises(DataError, match="no column None: known: 0, 1, 2"):
        read_interactions(table, user=None, item=1)


def test_a_column_that_is_there_twice():
    with pytest.raises(DataError, match="more than one column 'item'"):
        read_interactions(TABLE.set_axis(["user", "item", "item"], axis=1))


def test_a_column_named_for_two_purposes(tmp_path, frame):
    TABLE.to_csv(tmp_path / "table.csv", index=False)
    for source in (frame(TABLE), tmp_path / "table.csv"):
        with pytest.raises(DataError, match="'item' is named for two purposes"):
            read_interactions(source, user="item")
    with pytest.raises(DataError, match="'user' is named for two purposes"):
        read_histories(TABLE, ITEMS, user="user", item="user")


def test_column_names_with_space_around_them_are_quoted(tmp_path):
    path = written(tmp_path, "user, item,n\n1,2,3\n")
    with pytest.raises(DataError, match="Its columns are: user, ' item', n"):
        read_interactions(path)
    with pytest.raises(DataError, match="known: ' item', n, user"):
        read_interactions(path, item="what")


def test_a_dataframe_without_lines_or_with_missing_ids(frame):
    with pytest.raises(DataError, match="the table has no rows"):
        read_interactions(frame(TABLE[:0].astype({"item": "string"})))
    incomplete = pd.DataFrame({"user": ["a", None, "b"], "item": [2**60, 5, 2**60 + 1]})
    with pytest.raises(DataError, match="1 of the user ids are missing"):
        read_interactions(frame(incomplete))
    known = read_interactions(frame(incomplete.dropna()))
    assert as_dict(known) == {("a", 2**60): 1, ("b", 2**60 + 1): 1}


def test_what_polars_has_of_its_own():
    expected = read_interactions(TABLE).fingerprint()
    table = pl.DataFrame(TABLE.to_dict("list"))
    for kind in (pl.Categorical, pl.Enum(["b", "a"]), pl.Binary):
        typed = table.with_columns(pl.col("item").cast(kind), pl.col("user").cast(pl.Int8))
        assert read_interactions(typed).fingerprint() == expected
    with pytest.raises(DataError, match="this DataFrame can't be read as a table: Invalid UTF8"):
        read_interactions(pl.DataFrame({"user": [b"\xff"], "item": [1]}))
    with pytest.raises(DataError, match="this Series can't be read as a table"):
        read_interactions(pl.Series([1, 2]))
    with pytest.raises(DataError, match="from LazyFrame: give the path"):
        read_interactions(table.lazy())


def test_no_source():
    with pytest.raises(DataError, match="from list"):
        read_interactions([(1, 2)])


@pytest.mark.parametrize("column", [1, "ab", np.array(1), None])
def test_columns_that_are_no_arrays(column):
    with pytest.raises(DataError, match="column 'user' must be an array or a list"):
        read_interactions({"user": column, "item": [2, 3]})
    with pytest.raises(DataError, match="column 'user' must be an array or a list"):
        read_histories({"user": column, "item": [2, 3]}, ITEMS, user="user", item="item")


def test_min_weight_merges_then_compares_and_drops_what_is_not_positive(frame):
    table = pd.DataFrame(
        {"user": [1, 1, 1, 1, 2], "item": [1, 1, 1, 2, 1], "plays": [2, 2, -1, 3, 0]}
    )
    with pytest.raises(DataError, match="2 of the values are zero or negative"):
        read_interactions(frame(table), value="plays")
    for duplicates, expected in (("sum", {(1, 1): 4, (1, 2): 3}), ("last", {(1, 2): 3})):
        source = frame(table)
        data = read_interactions(source, value="plays", min_weight=1, duplicates=duplicates)
        assert as_dict(data) == expected
    for kind in ("float", "Float64", "double[pyarrow]"):
        incomplete = table.assign(plays=pd.array([2, 2, None, 3, 0], dtype=kind))
        with pytest.raises(DataError, match="1 of the values are missing"):
            read_interactions(frame(incomplete), value="plays", min_weight=1)


def test_what_weighs_too_little_to_be_a_like_is_disliked_and_0_says_nothing():
    thumbs = {"user": [1, 1, 1, 2, 2, 3], "item": [7, 8, 9, 8, 9, 9], "thumb": [1, -1, 0, 3, 1, 1]}
    data = read_interactions(thumbs, value="thumb", min_weight=1)
    assert as_dict(data) == {(1, 7): 1, (2, 8): 3, (2, 9): 1, (3, 9): 1}
    assert data.disliked.toarray().tolist() == [[0, 1, 0], [0, 0, 0], [0, 0, 0]]
    data = read_interactions(thumbs, value="thumb", min_weight=2)
    assert as_dict(data) == {(2, 8): 3}
    assert (data.disliked.nnz, data.min_weight) == (0, 2)  # nobody likes item 9 so much
    assert read_interactions(thumbs).disliked is None


def test_of_two_lines_the_last_says_whether_it_is_disliked_and_a_sum_takes_nothing_away():
    thumbs = {"user": [1, 1, 1, 1, 2], "item": [7, 7, 8, 8, 7], "thumb": [1, -1, -1, 1, 1]}
    data = read_interactions(thumbs, value="thumb", min_weight=1, duplicates="last")
    assert as_dict(data) == {(1, 8): 1, (2, 7): 1}
    assert data.disliked.toarray().tolist() == [[1, 0], [0, 0]]
    data = read_interactions(thumbs, value="thumb", min_weight=1, duplicates="sum")
    assert as_dict(data) == {(1, 7): 1, (1, 8): 1, (2, 7): 1}


def test_of_ratings_of_one_pair_the_last_counts_and_a_word_says_so():
    ratings = {"user": [1, 1, 1, 2], "item": [7, 7, 8, 7], "stars": [2, 2, 5, 4]}
    told = r"1 of 4 lines are of the same user and item .* the last .* duplicates='sum'"
    with pytest.warns(DuplicateWarning, match=told) as caught:
        data = read_interactions(ratings, value="stars", min_weight=4)
    assert caught[0].filename == __file__
    assert as_dict(data) == {(1, 8): 5, (2, 7): 4}
    assert as_dict(read_interactions(ratings)) == {(1, 7): 2, (1, 8): 1, (2, 7): 1}
    summed = read_interactions(ratings, value="stars", min_weight=4, duplicates="sum")
    assert as_dict(summed)[1, 7] == 4


def test_min_weight_needs_weights():
    with pytest.raises(OptionError, match=r"min_weight=4 needs the column of weights: .* value="):
        read_interactions(TABLE, min_weight=4)


def test_filters_are_passed_on(frame):
    table = pd.DataFrame({"user": [1, 1, 2, 3], "item": [1, 2, 1, 3]})
    assert as_dict(read_interactions(frame(table), min_user_items=2)) == {(1, 1): 1, (1, 2): 1}
    assert read_interactions(frame(table), min_item_users=2).shape == (2, 1)
    with pytest.raises(DataError, match="no interaction is left"):
        read_interactions(frame(table), min_user_items=2, min_item_users=2, k_core=True)


def test_last_fm_in_one_call(real_data):
    path = real_data / "lastfm-2k" / "user_artists.dat"
    data = read_interactions(path, user="userID", item="artistID", value="weight")
    assert (data.matrix.nnz, data.shape) == (92_834, (1892, 17_632))
    assert as_dict(data.select_users(np.array([0])))[2, 51] == 13_883


# read_histories


ITEMS = pd.Index([10, 20, 30], name="item")


def histories(users, items, ids=ITEMS, **columns):
    table = pd.DataFrame({"user": users, "item": items, **columns})
    value = "value" if columns else None
    data = read_histories(table, ids, user="user", item="item", value=value)
    return data.matrix.toarray().tolist(), list(data.user_ids)


def test_histories_are_in_the_order_of_first_appearance():
    assert histories(["z", "a", "z"], [30, 10, 10]) == ([[1, 0, 1], [1, 0, 0]], ["z", "a"])


def test_histories_merge_lines_of_one_pair_as_training_does():
    assert histories([1, 1], [20, 20]) == ([[0, 2, 0]], [1])
    with pytest.warns(DuplicateWarning, match="1 of 2 lines .* duplicates='sum'"):
        assert histories([1, 1], [20, 20], value=[2, 3]) == ([[0, 3, 0]], [1])
    named = {"user": "user", "item": "item", "value": "stars", "min_weight": 4}
    rated = {"user": [1, 1, 1, 1], "item": [10, 10, 20, 20], "stars": [5, 1, 1, 5]}
    for more, liked in (({}, 20), ({"timestamp": "at"}, 10)):
        table = rated | {"at": [9, 8, 9, 8]}
        data = read_histories(table, ITEMS, **named, **more, duplicates="last")
        assert data.matrix.toarray().tolist() == [list(5 * (liked == ITEMS))]
        assert data.disliked.toarray().tolist() == [[one in {10, 20} - {liked} for one in ITEMS]]
    twos = {"user": [1, 1], "item": [10, 10], "stars": [2, 2]}
    summed = read_histories(twos, ITEMS, **named, duplicates="sum")
    assert (summed.matrix[0, 0], summed.disliked.nnz) == (4, 0)


def test_histories_have_no_likes_that_weigh_less_than_in_training(caplog):
    caplog.set_level("INFO", "recvae")
    table = {"user": [1, 1, 1, 1, 2], "item": [10, 20, 30, 99, 30], "stars": [5, 2, 0, 1, -1]}
    names = {"user": "user", "item": "item", "min_weight": 4}
    with pytest.warns(UnknownItemWarning, match="1 of 5"):
        data = read_histories(table, ITEMS, **names, value="stars")
    assert data.matrix.toarray().tolist() == [[5, 0, 0], [0, 0, 0]]
    assert data.disliked.toarray().tolist() == [[0, 1, 0], [0, 0, 1]]
    assert "2 of 5 interactions weigh less than the 4 of a like" in caplog.text
    every = read_histories({"user": [1], "item": [10]}, ITEMS, **names)
    assert (every.matrix.nnz, every.disliked) == (1, None)


def test_histories_skip_unknown_items_but_keep_the_user():
    with pytest.warns(UnknownItemWarning, match="2 of 3 item ids .* such as 99") as caught:
        assert histories([1, 2, 2], [10, 99, 98]) == ([[1, 0, 0], [0, 0, 0]], [1, 2])
    assert len(caught) == 1


def test_histories_of_categoricals_and_of_nobody():
    ids = pd.Index(["a", "b"])
    users, items = pd.Categorical(["v", "u"]), pd.Categorical(["b", "a"], categories=["b", "a"])
    assert histories(users, items, ids) == ([[0, 1], [1, 0]], ["v", "u"])
    assert histories([], []) == ([], [])


TEXTS = pd.Index(["10", "20", "x"], name="item")


@pytest.mark.parametrize(
    ("items", "ids"),
    [
        ([10, 20, 99], TEXTS),
        ([10.0, 20.0, 99.0], TEXTS),
        ([10, "20", 99], TEXTS),
        (["10", "20", "x"], ITEMS),
        ([10, "20", "x"], ITEMS),
        (pd.Categorical(["10", "20", "020"]), ITEMS),
    ],
)
def test_histories_with_ids_of_another_type(items, ids):
    with pytest.warns(UnknownItemWarning, match=r"1 of 3 .* such as (99|x|020)"):
        assert histories([1, 2, 2], items, ids) == ([[1, 0, 0], [0, 1, 0]], [1, 2])


LONG = [2**53 + 1, 10**18 - 1, 10**18, 2**63 - 1]
UNSIGNED = np.array([5, 2**63, 2**64 - 1], np.uint64)


@pytest.mark.filterwarnings("ignore::recvae.data.reading.UnknownItemWarning")
@pytest.mark.parametrize("known", [LONG, UNSIGNED], ids=["int64", "uint64"])
def test_long_ids_are_the_same_in_frames_and_in_text_files(tmp_path, known):
    items = pd.Index(known)
    for some in (known, known[-2:], known[:1], [*known, 3], [*known, 10**20]):
        text = "user,item\n" + "".join(f"1,{item}\n" for item in some)
        for model in (items, items.astype(str)):
            data = read_histories(written(tmp_path, text), model, user="user", item="item")
            np.testing.assert_array_equal(data.matrix.toarray()[0], items.isin(some))


@pytest.mark.parametrize("ids", [*NO_IDS, [[1], [2]]])
@pytest.mark.parametrize("known", [ITEMS, TEXTS, pd.Index([2**53 + 2, 1])])
def test_histories_of_ids_that_training_refuses(ids, known):
    with pytest.raises(DataError, match="item ids must be"):
        read_histories({"u": [1, 2], "i": ids}, known, user="u", item="i")
    with pytest.raises(DataError, match="user ids must be"):
        read_histories({"u": ids, "i": [1, 1]}, known, user="u", item="i")


@pytest.mark.parametrize(
    ("items", "ids", "message"),
    [
        (["a", "b"], ITEMS, r"type string \(such as a\), the model's of type integer \(10\)"),
        ([7, 8], TEXTS, r"type integer \(such as 7\), the model's of type string \(10\)"),
    ],
)
def test_histories_of_no_known_item_and_another_type(items, ids, message):
    with pytest.raises(DataError, match=message):
        histories([1, 2], items, ids)


def test_histories_are_of_any_source(tmp_path, frame):
    table = pd.DataFrame({"user": ["z", "a"], "item": [30, 10]})
    table.to_csv(tmp_path / "mine.csv", index=False)
    for source in (frame(table), table.to_dict("list"), tmp_path / "mine.csv"):
        data = read_histories(source, ITEMS, user="user", item="item")
        assert data.matrix.toarray().tolist() == [[0, 0, 1], [1, 0, 0]]
        assert list(data.user_ids) == ["z", "a"]
    with pytest.raises(DataError, match="user 1, item 2"):
        read_histories({"user": [1], "item": [1, 2]}, ITEMS, user="user", item="item")
    with pytest.raises(DataError, match="from list"):
        read_histories([1], ITEMS, user="user", item="item")


def test_histories_whose_items_are_all_unknown_are_all_empty():
    with pytest.warns(UnknownItemWarning, match="2 of 2"):
        assert histories([1, 2], [7, 8]) == ([[0, 0, 0], [0, 0, 0]], [1, 2])


@pytest.mark.parametrize(
    ("users", "items", "message"),
    [
        ([1, None], [10, 10], "1 of the user ids are missing"),
        ([1, 1], [10, None], "1 of the item ids are missing"),
        (["a", ""], [10, 10], "1 of the user ids are missing"),
        ([1, 1, 1], pd.Categorical([10, None, 20]), "1 of the item ids are missing"),
        ([1, 1, 1], ["x", "", "y"], "1 of the item ids are missing"),
    ],
)
def test_histories_with_missing_ids(users, items, message):
    with pytest.raises(DataError, match=message):
        histories(users, items)


def test_histories_with_missing_columns_or_bad_values():
    with pytest.raises(DataError, match="no column 'artist'"):
        read_histories(TABLE, ITEMS, user="user", item="artist")
    with pytest.raises(DataError, match="zero or negative"):
        histories([1], [10], value=[0])


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 9)), min_size=1, max_size=30))
def test_histories_of_the_data_themselves_are_the_data(lines):
    users, items = (list(column) for column in zip(*lines, strict=True))
    data = build_interactions(users, items)
    table = pd.DataFrame({"user": users, "item": items})
    with warnings.catch_warnings(action="error"):
        again = read_histories(table, data.item_ids, user="user", item="item")
    order = np.argsort(again.user_ids)
    np.testing.assert_array_equal(again.matrix.toarray()[order], data.matrix.toarray())
