"""Data sets that are not MovieLens: each is a declaration, and has to be put there by hand."""

from pathlib import Path

import numpy as np
import pytest
from releases_by_hand import NETFLIX, write_folder

import recvae as rv
from recvae.data.datasets.loading import load_dataset, load_tables
from recvae.data.datasets.releases import GOWALLA, LASTFM, MOVIETWEETINGS, RELEASES
from recvae.data.datasets.releases import NETFLIX as PRIZE
from recvae.errors import DataError, MissingFileError

BY_HAND = [name for name, release in RELEASES.items() if release.zip is None]


def weights(data) -> dict[tuple, float]:
    """The weight of each pair of raw ids."""
    coo = data.matrix.tocoo()
    pairs = zip(data.user_ids[coo.row], data.item_ids[coo.col], strict=True)
    return dict(zip(pairs, coo.data.tolist(), strict=True))


def test_plays_of_artists(data_dir: Path):
    write_folder(data_dir, "lastfm-2k")
    data = load_dataset("lastfm-2k")
    assert weights(data) == {(2, 51): 13883, (2, 53): 1, (7, 51): 20}
    assert data.timestamps is None
    assert list(data.items) == ["title"]
    assert data.items["title"].tolist() == ["Sigur Rós (1994)", 'Lee "Scratch" Perry']
    assert weights(load_dataset("lastfm-2k", min_rating=20)) == {(2, 51): 13883, (7, 51): 20}


def test_tweeted_ratings_and_ids_that_begin_with_zeros(data_dir: Path):
    write_folder(data_dir, "movietweetings-100k")
    data = load_dataset("movietweetings-100k")
    assert weights(data) == {(1, "0002844"): 7, (2, "0120735"): 10}
    assert data.timestamps.tolist() == [1365029107, 1364690142]
    assert data.items.loc["0002844"].tolist() == [
        "Fantômas: À l'ombre (1913)",
        "Crime|Drama",
        1913,
    ]
    assert data.items.loc["0120735", "genres"] == ""
    assert load_tables("movietweetings-100k").ratings["rating"].tolist() == [7, 0, 10]


def test_a_tweeted_rating_below_zero_is_damage(data_dir: Path):
    folder = write_folder(data_dir, "movietweetings-100k")
    (folder / "ratings.dat").write_text("1::0002844::-1::1365029107\n")
    with pytest.raises(DataError, match=r"ratings\.dat .* not from 0 up.*sidooms/MovieTweetings"):
        load_dataset("movietweetings-100k")


def test_a_line_of_items_per_user(data_dir: Path):
    write_folder(data_dir, "gowalla")
    data = load_dataset("gowalla")
    assert weights(data) == {(0, 2): 1, (0, 5): 1, (0, 9): 1, (1, 2): 1, (3, 2): 1}
    assert data.positions.tolist() == [1, 0, 3, 4, 2]  # test.txt comes after train.txt
    assert data.timestamps is None
    assert list(data.items) == []
    assert load_tables("gowalla").items is None


@pytest.mark.parametrize("text", ["", "3\n", "0 x\n", "0 1.5\n", "0 1,2\n", f"0 {9**99}\n"])
def test_a_damaged_line_of_items(text: str, data_dir: Path):
    folder = write_folder(data_dir, "gowalla")
    (folder / "train.txt").write_text(text)
    with pytest.raises(DataError, match=r"train\.txt is damaged or not as gowalla is published"):
        load_dataset("gowalla")


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
@pytest.mark.parametrize(
    "names",
    [
        ("combined_data_1.txt", "combined_data_2.txt"),
        ("mv_0000001.txt", "mv_0000013.txt"),
        ("training_set/mv_0000001.txt", "training_set/mv_0000013.txt"),
    ],
)
def test_sections_by_movie(names: tuple[str, ...], newline: str, data_dir: Path):
    for name, text in zip(names, NETFLIX.values(), strict=True):
        path = data_dir / "netflix" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.replace("\n", newline).encode())
    for _ in range(2):  # parsed, then from the cache
        data = load_dataset("netflix")
        assert weights(data) == {(822109, 1): 5, (1488844, 1): 3, (30878, 13): 4}
        assert data.timestamps.tolist() == [86_400, 1115942400, 1125964800]
    liked = load_dataset("netflix", min_rating=4, min_item_users=1)
    assert weights(liked) == {(822109, 1): 5, (30878, 13): 4}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("822109,5,2005-05-13\n1:\n", "does not begin with an item"),
        ("1:\n822109,five,2005-05-13\n", "not as netflix is published"),
        ("1:\n822109,5\n", "not as netflix is published"),
        ("1:\n822109,0,2005-05-13\n", "not above 0"),
        ("1:\n822109,5,\n", "1 values of column 'date' are missing"),
        ("1:\n,5,2005-05-13\n", "1 values of column 'user' are missing"),
        ("1:\n2:\n", "no rows"),
        ("", "not as netflix is published"),
    ],
)
def test_sections_that_are_damaged(text: str, message: str, data_dir: Path):
    folder = write_folder(data_dir, "netflix")
    (folder / "combined_data_1.txt").write_text(text)
    with pytest.raises(DataError, match=message):
        load_dataset("netflix")


@pytest.mark.parametrize("name", BY_HAND)
def test_what_is_not_here_is_to_be_had_by_hand(name: str, data_dir: Path):
    for load in (load_dataset, load_tables):
        with pytest.raises(MissingFileError, match="can't be downloaded") as error:
            load(name)
    message = str(error.value)
    assert RELEASES[name].home in message
    assert str(data_dir / name) in message
    for file in RELEASES[name].layout.interaction_files:
        assert all(place in message for place in file.places)


@pytest.mark.parametrize("name", BY_HAND)
def test_a_file_missing(name: str, data_dir: Path):
    folder = write_folder(data_dir, name)
    file = RELEASES[name].layout.interaction_files[-1]
    for place in file.places:
        for path in folder.glob(place):
            path.unlink()
    with pytest.raises(MissingFileError, match=RELEASES[name].home) as error:
        load_dataset(name)
    assert file.places[0] in str(error.value)
    assert str(folder) in str(error.value)


@pytest.mark.parametrize("release", [LASTFM, MOVIETWEETINGS, GOWALLA, PRIZE], ids=BY_HAND)
def test_published_figures(release, real_data: Path):
    if not (real_data / release.name).is_dir():
        pytest.skip(f"needs {release.name}/ in RECVAE_DATA")
    ratings = load_tables(release.name, data_dir=real_data).ratings
    found = len(ratings), ratings["user"].nunique(), ratings["item"].nunique()
    assert found == (release.size.ratings, release.size.users, release.size.items)
    data = load_dataset(release.name, data_dir=real_data)
    n_zeros = int((ratings["rating"] == 0).sum()) if "rating" in ratings else 0
    assert data.matrix.nnz == len(ratings) - n_zeros
    assert n_zeros == (12 if release is MOVIETWEETINGS else 0)
    assert not data.items.isna().any(axis=None)


def test_lastfm_is_what_its_table_holds(real_data: Path):
    path = real_data / "lastfm-2k" / "user_artists.dat"
    if not path.is_file():
        pytest.skip("needs lastfm-2k/ in RECVAE_DATA")
    table = rv.read_interactions(path, user="userID", item="artistID", value="weight")
    assert load_dataset("lastfm-2k", data_dir=real_data).fingerprint() == table.fingerprint()


def test_gowalla_keeps_the_published_split(real_data: Path):
    if not (real_data / "gowalla").is_dir():
        pytest.skip("needs gowalla/ in RECVAE_DATA")
    data = load_dataset("gowalla", data_dir=real_data)
    of_train = data.positions < 810_128
    first = data.matrix.indices[of_train & (data.rows == 0)]
    line = (real_data / "gowalla" / "train.txt").read_text().split("\n", 1)[0].split()
    assert sorted(data.item_ids[first]) == sorted(map(int, line[1:]))
    assert np.count_nonzero(~of_train) == 217_242


def test_a_file_that_looks_packed_is_one_clear_error(tmp_path):
    folder = tmp_path / "lastfm-2k"
    folder.mkdir()
    for name in ("user_artists.dat", "artists.dat"):
        (folder / name).write_bytes(b"\x1f\x8b\x08\x00")
    with pytest.raises(DataError, match="is damaged or not as lastfm-2k is published"):
        load_dataset("lastfm-2k", data_dir=tmp_path)
