from pathlib import Path

import numpy as np
import pytest
from releases_by_hand import RELEASES_BY_HAND, write_folder

import recvae as rv
from recvae.data.datasets.loading import load_dataset, load_tables
from recvae.data.datasets.releases import DATASETS, RELEASES
from recvae.errors import DataError, MissingFileError, OptionError


def test_every_release_is_tested_by_hand():
    assert set(RELEASES_BY_HAND) == set(RELEASES)
    assert set(DATASETS) == {*RELEASES, "sample"}


def test_every_zip_has_a_checksum_but_those_that_are_replaced_now_and_then():
    zips = {name: release.zip for name, release in RELEASES.items() if release.zip}
    assert {name for name, zip in zips.items() if not zip.md5} == {"ml-latest", "ml-latest-small"}


@pytest.mark.parametrize("name", RELEASES)
def test_tables_have_uniform_columns(name: str, data_dir: Path):
    write_folder(data_dir, name)
    tables = load_tables(name)
    known = list(tables.ratings)
    assert known == ["user", "item", "rating", "timestamp"][: len(known)]
    types = {"rating": np.float32, "timestamp": np.int64}
    assert all(tables.ratings[one].dtype == types[one] for one in known[2:])
    if tables.items is not None:
        known = list(tables.items)
        assert known == ["item", "title", "genres"][: len(known)]
    if tables.users is not None:
        assert tables.users.columns[0] == "user"
    if tables.tags is not None:
        assert list(tables.tags) == ["user", "item", "tag", "timestamp"]


def test_ml_100k(data_dir: Path):
    write_folder(data_dir, "ml-100k")
    tables = load_tables("ml-100k")
    assert tables.ratings.to_numpy().tolist()[0] == [3, 20, 4, 881250949]
    assert tables.items.to_numpy().tolist() == [
        [10, "Café Story (1995)", "Animation|Children's|Comedy"],
        [20, "unknown", "unknown"],
    ]
    assert tables.users is not None
    assert tables.users.to_numpy().tolist() == [
        [1, 24, "M", "technician", "85711"],
        [3, 53, "F", "other", "T8H1N"],
    ]
    assert tables.tags is None


def test_ml_1m(data_dir: Path):
    write_folder(data_dir, "ml-1m")
    tables = load_tables("ml-1m")
    assert tables.ratings.to_numpy().tolist()[0] == [1, 1193, 5, 978300760]
    assert tables.items.to_numpy().tolist() == [
        [661, "James: A Peach (1996)", "Animation|Children's"],
        [1193, '"Cuckoo", Café (1975)', "Drama"],
        [9, "Never Rated (1950)", "Drama"],
    ]
    assert tables.users is not None
    assert tables.users["zip_code"].tolist() == ["48067", "70072-1234"]
    assert tables.users["age"].tolist() == [1, 56]


def test_ml_10m_has_half_stars_and_tags(data_dir: Path):
    write_folder(data_dir, "ml-10m")
    tables = load_tables("ml-10m")
    assert tables.ratings["rating"].tolist() == [5, 0.5, 3.5]
    assert tables.items["title"].tolist() == ["Boomerang: Café (1992)", "Net (1995)"]
    assert tables.tags is not None
    assert tables.tags["tag"].tolist() == ['so: so, "good"']
    assert tables.users is None


def test_ml_10m_under_the_name_of_its_folder(data_dir: Path):
    write_folder(data_dir, "ml-10m").rename(data_dir / "ml-10M100K")
    assert len(load_tables("ml-10m").ratings) == 3


@pytest.mark.parametrize("name", ["ml-20m", "ml-latest-small"])
def test_csv_with_quotes_and_either_line_end(name: str, data_dir: Path):
    write_folder(data_dir, name)
    tables = load_tables(name)
    assert tables.ratings.to_numpy().tolist()[2] == [7, 2, 4, 1112484819]
    assert tables.items.to_numpy().tolist() == [
        [2, "Café (1995)", "Adventure|Children"],
        [29, 'City, The "Lost" (Cité) (1995)', ""],
    ]
    assert tables.tags is not None
    assert tables.tags.to_numpy().tolist() == [[18, 29, 'Mark, "Waters"', 1240597180]]


def test_interactions_of_a_release(data_dir: Path):
    write_folder(data_dir, "ml-100k")
    data = load_dataset("ml-100k")
    assert data.user_ids.tolist() == [1, 3]
    assert data.item_ids.tolist() == [10, 20]
    assert data.matrix.toarray().tolist() == [[5, 2], [0, 4]]
    assert data.timestamps is not None
    assert data.timestamps.tolist() == [891717742, 878887116, 881250949]
    assert data.positions is not None
    assert data.positions.tolist() == [1, 2, 0]
    assert data.users["occupation"].tolist() == ["technician", "other"]
    assert data.items["year"].tolist()[0] == 1995
    assert data.items["year"].isna().tolist() == [False, True]


def test_items_that_nobody_rated_are_left_out(data_dir: Path):
    write_folder(data_dir, "ml-1m")
    assert load_dataset("ml-1m").item_ids.tolist() == [661, 1193]


def test_the_last_of_two_ratings_counts(data_dir: Path):
    folder = write_folder(data_dir, "ml-1m")
    with (folder / "ratings.dat").open("a") as file:
        file.write("2::661::1::978301968\n")
    assert load_dataset("ml-1m").matrix.toarray().tolist() == [[3, 5], [1, 0]]


def test_filters(data_dir: Path):
    write_folder(data_dir, "ml-1m")
    assert load_dataset("ml-1m", min_rating=4).shape == (2, 2)
    assert load_dataset("ml-1m", min_user_items=2).user_ids.tolist() == [1]
    assert load_dataset("ml-1m", min_item_users=2).item_ids.tolist() == [661]
    with pytest.raises(DataError, match="no interaction is left"):
        load_dataset("ml-1m", min_item_users=2, min_user_items=2, k_core=True)


def test_a_data_directory_given_comes_first(tmp_path: Path):
    write_folder(tmp_path / "elsewhere", "ml-1m")
    assert load_dataset("ml-1m", data_dir=tmp_path / "elsewhere").shape == (2, 2)


def test_without_a_directory_it_is_data_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("RECVAE_DATA")
    monkeypatch.chdir(tmp_path)
    write_folder(tmp_path / "data", "ml-1m")
    assert load_dataset("ml-1m").shape == (2, 2)


@pytest.mark.parametrize("load", [load_dataset, load_tables])
def test_a_name_mistyped(load):
    with pytest.raises(OptionError, match="no data set 'ml1m': did you mean 'ml-1m'"):
        load("ml1m")
    with pytest.raises(OptionError, match="no data set None: known: gowalla, "):
        load(None)


DAMAGE = {
    "empty": ("ratings.csv", b"", "Empty"),
    "only a header": ("ratings.csv", b"userId,movieId,rating,timestamp\n", "no rows"),
    "a column missing": ("ratings.csv", b"userId,movieId,rating\n1,2,3\n", "timestamp"),
    "a field missing": ("ratings.csv", b"userId,movieId,rating,timestamp\n1,2,3\n", "got 3"),
    "a field too many": ("ratings.csv", b"userId,movieId,rating,timestamp\n1,2,3,4,5\n", "got 5"),
    "a NaN": ("ratings.csv", b"userId,movieId,rating,timestamp\n1,2,NaN,4\n", "'rating'"),
    "an empty field": ("ratings.csv", b"userId,movieId,rating,timestamp\n1,,3,4\n", "'item'"),
    "an infinity": ("ratings.csv", b"userId,movieId,rating,timestamp\n1,2,inf,4\n", "above 0"),
    "a rating of zero": ("ratings.csv", b"userId,movieId,rating,timestamp\n1,2,0,4\n", "above 0"),
    "a word for an id": ("ratings.csv", b"userId,movieId,rating,timestamp\nx,2,3,4\n", "'x'"),
    "not UTF-8": ("movies.csv", b"movieId,title,genres\n2,Caf\xe9,Drama\n", "UTF8"),
    "an item twice": ("movies.csv", b"movieId,title,genres\n2,A,B\n2,A,B\n", "1 items twice"),
    "another file": ("movies.csv", b"\x89PNG\r\n\x1a\n\x00\x00", "movieId"),
}


@pytest.mark.parametrize("case", DAMAGE)
def test_damage_is_named_with_its_cure(case: str, data_dir: Path):
    folder = write_folder(data_dir, "ml-20m")
    file, content, problem = DAMAGE[case]
    (folder / file).write_bytes(content)
    with pytest.raises(DataError, match=problem) as error:
        load_dataset("ml-20m")
    assert str(folder / file) in str(error.value)
    assert f"delete or move the folder {folder}" in str(error.value)


@pytest.mark.parametrize(
    "line", ["1:1193:5:978300760", "1::1193::5", "1::1193::5::978300760::0", "1::11"]
)
def test_damaged_lines_between_double_colons(line: str, data_dir: Path):
    folder = write_folder(data_dir, "ml-1m")
    with (folder / "ratings.dat").open("a") as file:
        file.write(line + "\n")
    with pytest.raises(DataError, match=r"ratings\.dat is damaged"):
        load_dataset("ml-1m")


@pytest.mark.parametrize("file", ["ratings.dat", "movies.dat", "users.dat"])
def test_a_file_missing(file: str, data_dir: Path):
    folder = write_folder(data_dir, "ml-1m")
    (folder / file).unlink()
    for load in (load_dataset, load_tables):
        with pytest.raises(MissingFileError, match=f"{file} is missing in .* delete or move"):
            load("ml-1m")


def test_the_package_exports_it():
    assert rv.load_dataset is load_dataset
