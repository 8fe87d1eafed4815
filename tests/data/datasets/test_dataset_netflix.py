import pytest

from recvae.data.datasets import read_netflix
from recvae.errors import DataError, MissingFileError

FIRST = "1:\n1488844,3,2005-09-06\n822109,5,2005-05-13\n2:\n822109,4,1999-11-11\n"
SECOND = "13:\n30878,4,1970-01-02\n"
RATED = {(822109, 1): 5, (822109, 2): 4, (1488844, 1): 3, (30878, 13): 4}


def ratings(data):
    coo = data.matrix.tocoo()
    ids = zip(data.user_ids[coo.row], data.item_ids[coo.col], strict=True)
    return dict(zip(ids, coo.data.tolist(), strict=True))


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
@pytest.mark.parametrize(
    "names",
    [
        ("combined_data_1.txt", "combined_data_2.txt"),
        ("mv_0000001.txt", "mv_0000013.txt"),
        ("training_set/mv_0000001.txt", "training_set/mv_0000013.txt"),
    ],
)
def test_sections_by_movie(tmp_path, names, newline):
    for name, text in zip(names, (FIRST, SECOND), strict=True):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(text.replace("\n", newline).encode())
    for _ in range(2):  # parsed, then from the cache
        data = read_netflix(tmp_path)
        assert ratings(data) == RATED
        assert data.timestamps.tolist() == [86_400, 1115942400, 942278400, 1125964800]
    liked = read_netflix(tmp_path, min_rating=4, min_user_items=2)
    assert ratings(liked) == {(822109, 1): 5, (822109, 2): 4}


def test_files_that_are_not_there(tmp_path):
    with pytest.raises(MissingFileError, match="combined_data"):
        read_netflix(tmp_path)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("822109,5,2005-05-13\n1:\n", "does not begin with a movie"),
        ("1:\n822109,five,2005-05-13\n", "not as Netflix published it"),
        ("1:\n822109,5\n", "not as Netflix published it"),
        ("", "not as Netflix published it"),
    ],
)
def test_files_that_are_damaged(tmp_path, text, message):
    (tmp_path / "combined_data_1.txt").write_text(text)
    with pytest.raises(DataError, match=message):
        read_netflix(tmp_path)
