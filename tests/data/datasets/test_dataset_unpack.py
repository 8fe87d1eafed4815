"""Zips that were mutated: nothing outside of the folder, and one clear error."""

import zipfile
from io import BytesIO

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recvae.data.datasets import unpack
from recvae.errors import DownloadError

TEXT = b"1::1193::5::978300760\n" * 30
WAYS = [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA]


def zipped(way):
    """A zip of two files in a folder."""
    file = BytesIO()
    with zipfile.ZipFile(file, "w", way) as archive:
        archive.writestr("set/ratings.dat", TEXT)
        archive.writestr("set/more/movies.dat", TEXT[::-1])
    return file.getvalue()


@settings(max_examples=300)
@given(
    content=st.sampled_from(WAYS).map(zipped),
    places=st.lists(st.tuples(st.floats(0, 0.999), st.binary(min_size=1, max_size=4)), max_size=3),
    end=st.floats(0.9, 1),
)
def test_a_mutated_zip_is_unpacked_or_refused(tmp_path_factory, content, places, end):
    mutated = bytearray(content)
    for place, new in places:
        start = int(place * len(content))
        mutated[start : start + len(new)] = new
    home = tmp_path_factory.mktemp("data")
    archive, target = home / "set.zip", home / "set"
    archive.write_bytes(mutated[: int(end * len(mutated))])
    try:
        unpack.unpack(archive, "set", target)
    except DownloadError:
        assert not target.exists()
    else:
        assert {path.read_bytes() for path in target.rglob("*.dat")} <= {TEXT, TEXT[::-1]}
    assert {path.name for path in home.iterdir()} <= {"set.zip", "set"}


def test_a_zip_of_too_many_files(tmp_path, monkeypatch):
    monkeypatch.setattr(unpack, "MAX_FILES", 1)
    (tmp_path / "set.zip").write_bytes(zipped(zipfile.ZIP_STORED))
    with pytest.raises(DownloadError, match="in 2 files"):
        unpack.unpack(tmp_path / "set.zip", "set", tmp_path / "set")
