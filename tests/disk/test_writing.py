"""Lists in a stream, and into files that are whole or not there."""

import tracemalloc

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import scipy.sparse as sp

import recvae as rv
from recvae.disk.writing import write_tables
from recvae.errors import DataError, FoldInError, NotFittedError, OptionError, WriteError
from recvae.models import MissingWeightsWarning
from recvae.models.contract import recommender


@pytest.fixture(scope="module")
def model():
    matrix = sp.random(50, 12, density=0.4, format="csr", random_state=0, dtype=np.float32)
    titles = pd.DataFrame({"title": [f"T{n}" if n > 5 else None for n in range(12)]})
    return rv.ItemKNN().fit(rv.Interactions.from_matrix(matrix).with_item_info(titles))


@pytest.fixture
def histories():
    rng = np.random.default_rng(0)
    return pd.DataFrame({"user": np.arange(100) // 4, "item": rng.integers(0, 12, 100)})


@pytest.mark.parametrize("size", [1, 7, 25, 4096])
def test_blocks_of_any_size_give_the_same_lists(model, histories, monkeypatch, size):
    expected = model.recommend_table(histories, 3)
    monkeypatch.setattr(recommender, "MOST_USERS", size)
    tables = list(model.recommend_tables(histories, 3))
    assert len(tables) == -(-25 // size)
    pd.testing.assert_frame_equal(pd.concat(tables, ignore_index=True), expected)


def test_titles_may_be_missing_at_first(tmp_path):
    titles = [np.array([title], dtype=object) for title in (None, "A title")]
    tables = [pd.DataFrame({"user": [1], "title": title}) for title in titles]
    write_tables(tables, tmp_path / "lists.parquet")
    assert pd.read_parquet(tmp_path / "lists.parquet")["title"].tolist()[1] == "A title"


def test_what_is_wrong_is_said_at_once(model, histories):
    with pytest.raises(OptionError, match="k=0"):
        model.recommend_tables(histories, 0)
    with pytest.raises(DataError, match="no column"):
        model.recommend_tables(histories, user="who")
    with pytest.raises(NotFittedError):
        rv.ItemKNN().recommend_tables(histories)


def test_unknown_users_are_said_at_once(histories):
    matrix = sp.random(50, 12, density=0.4, format="csr", random_state=0, dtype=np.float32)
    model = rv.ImplicitBPR(factors=2, iterations=1).fit(matrix)
    with pytest.raises(FoldInError, match="and not 99"):
        model.recommend_tables(histories.assign(user=99))


def test_tables_are_whatever_read_interactions_takes(model, histories, tmp_path):
    expected = model.recommend_table(histories, 3)
    pd.testing.assert_frame_equal(model.recommend_table(histories.to_dict("list"), 3), expected)
    histories.to_parquet(tmp_path / "mine.parquet")
    pd.testing.assert_frame_equal(model.recommend_table(tmp_path / "mine.parquet", 3), expected)


def test_a_dataframe_in_gives_one_of_the_same_package_back(model, histories, frame):
    expected = model.recommend_table(histories, 3)
    source = frame(histories)
    lists = model.recommend_table(source, 3)
    assert type(lists) is (pa.Table if isinstance(source, pa.RecordBatchReader) else type(source))
    lists = lists if lists is expected else pa.table(lists).to_pandas()
    pd.testing.assert_frame_equal(lists, expected, check_dtype=False)


def test_a_model_of_weights_that_gets_none_warns_once(histories):
    matrix = sp.random(50, 12, density=0.4, format="csr", random_state=0, dtype=np.float32)
    options = {"input": "counts", "latent": 2, "hidden": (4,), "epochs": 1, "device": "cpu"}
    model = rv.MultVAE(**options).fit(matrix)
    once = histories.drop_duplicates(["user", "item"])
    with pytest.warns(MissingWeightsWarning, match="each line counts as 1") as caught:
        expected = model.recommend_table(once, 3)
    assert len(caught) == 1
    weighted = model.recommend_table(once.assign(n=1), 3, value="n")
    pd.testing.assert_frame_equal(weighted, expected)
    model.recommend_table(pd.concat([once, once]), 3)  # lines that come twice are weights


def test_no_users_have_an_empty_table(model, histories):
    table = model.recommend_table(histories[:0])
    assert list(table.columns) == ["user", "item", "rank", "score", "title"]
    assert table.empty


@pytest.mark.parametrize(("suffix", "read"), [("csv", pd.read_csv), ("parquet", pd.read_parquet)])
def test_a_stream_is_written_as_one_table(model, histories, monkeypatch, tmp_path, suffix, read):
    monkeypatch.setattr(recommender, "MOST_USERS", 10)
    path = tmp_path / f"lists.{suffix}"
    path.write_text("what was there before")
    write_tables(model.recommend_tables(histories, 3), path)
    expected = model.recommend_table(histories, 3)
    pd.testing.assert_frame_equal(read(path), expected, check_dtype=False, rtol=1e-6)
    assert list(tmp_path.iterdir()) == [path]
    if suffix == "parquet":
        assert pq.read_metadata(path).num_row_groups == 3


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
@pytest.mark.parametrize("n_written", [0, 1])
def test_what_fails_half_way_leaves_what_was_there(tmp_path, suffix, n_written):
    def failing():
        yield from [pd.DataFrame({"user": [1]})] * n_written
        raise KeyboardInterrupt

    path = tmp_path / f"lists.{suffix}"
    path.write_text("mine")
    with pytest.raises(KeyboardInterrupt):
        write_tables(failing(), path)
    assert path.read_text() == "mine"
    assert list(tmp_path.iterdir()) == [path]


def test_only_files_that_can_be_written(tmp_path):
    with pytest.raises(OptionError, match=r"\.csv or \.parquet"):
        write_tables([], tmp_path / "lists.xls")


def test_files_that_can_not_be_written_are_named_as_they_were_asked_for(tmp_path, monkeypatch):
    def refused(*_):
        raise PermissionError(13, "Permission denied", ".lists.csv.123")

    with pytest.raises(WriteError, match=rf"there is no folder {tmp_path}/no, make it\.$"):
        write_tables([], tmp_path / "no" / "lists.csv")
    monkeypatch.setattr(type(tmp_path), "open", refused)
    with pytest.raises(WriteError) as error:
        write_tables([], tmp_path / "lists.csv")
    path = tmp_path / "lists.csv"
    said = f"{path} can't be written (Permission denied): choose a place that can be, and has room."
    assert str(error.value) == said


def test_memory_does_not_grow_with_the_users(model, tmp_path):
    table = pd.DataFrame({"user": np.arange(40_000), "item": np.arange(40_000) % 12})

    def peak(n_users: int) -> int:
        tracemalloc.start()
        write_tables(model.recommend_tables(table[:n_users], 10), tmp_path / "lists.parquet")
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return most

    few, many = peak(4096), peak(40_000)
    assert pq.read_metadata(tmp_path / "lists.parquet").num_rows == 40_000 * 10
    assert many < 2 * few + 40_000 * 50  # the histories are held, ten times the lists are not
