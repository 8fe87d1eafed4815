import logging
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest
from releases_by_hand import RELEASES_BY_HAND, md5, write_zip

from recvae.data.datasets import download, unpack
from recvae.data.datasets.loading import load_dataset, load_tables
from recvae.data.datasets.releases import RELEASES
from recvae.errors import DownloadError

ZIPS = {name: release.zip for name, release in RELEASES.items() if release.zip}
FIXED = [name for name, published in ZIPS.items() if published.md5]
LATEST = [name for name in ZIPS if name not in FIXED]


def expect_md5(monkeypatch: pytest.MonkeyPatch, name: str, md5: str) -> None:
    published = replace(RELEASES[name].zip, md5=md5)
    monkeypatch.setitem(RELEASES, name, replace(RELEASES[name], zip=published))


@pytest.fixture
def published(server, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A server has ml-1m's zip, and its md5 is the one expected."""
    path = write_zip(server.folder, "ml-1m")
    expect_md5(monkeypatch, "ml-1m", md5(path))
    return path


def left_in(data_dir: Path) -> list[str]:
    return sorted(path.name for path in data_dir.iterdir())


@pytest.mark.parametrize("name", FIXED)
def test_downloads_verifies_and_unpacks(name: str, server, data_dir, monkeypatch):
    expect_md5(monkeypatch, name, md5(write_zip(server.folder, name)))
    assert len(load_tables(name).ratings) == 3
    assert left_in(data_dir) == [name, f"{name}.zip"]
    assert sorted(p.name for p in (data_dir / name).iterdir()) == sorted(RELEASES_BY_HAND[name])
    assert len(load_tables(name).ratings) == 3
    assert server.requested == [f"/{name}.zip"]


@pytest.mark.parametrize("form", ["MD5 ({zip}) = {md5}\n", "{md5}  {zip}\n"])
@pytest.mark.parametrize("name", LATEST)
def test_latest_is_verified_by_the_md5_beside_it(name: str, form: str, server, data_dir):
    path = write_zip(server.folder, name)
    beside = server.folder / f"{path.name}.md5"
    beside.write_text(form.format(zip=path.name, md5=md5(path).upper()))
    assert len(load_tables(name).ratings) == 3
    beside.write_text(form.format(zip=path.name, md5="0" * 32))
    assert len(load_tables(name).ratings) == 3
    for place in data_dir.iterdir():
        place.rename(data_dir.parent / place.name)
    with pytest.raises(DownloadError, match="does not match"):
        load_tables(name)


def test_latest_without_an_md5(server, data_dir):
    write_zip(server.folder, "ml-latest")
    (server.folder / "ml-latest.zip.md5").write_text("<html>moved</html>")
    with pytest.raises(DownloadError, match=r"no md5 in .*ml-latest\.zip\.md5"):
        load_dataset("ml-latest")


def test_the_directory_is_made(published, tmp_path: Path):
    assert load_dataset("ml-1m", data_dir=tmp_path / "a" / "b").shape == (2, 2)


def test_the_licence_is_told_once(published, data_dir, caplog):
    caplog.set_level(logging.INFO, logger="recvae")
    load_dataset("ml-1m")
    load_dataset("ml-1m")
    assert caplog.text.count("not to be passed on") == 1
    assert caplog.text.count("downloading http://127.0.0.1") == 1


def test_a_wrong_md5_leaves_nothing_behind(published, data_dir, monkeypatch):
    expect_md5(monkeypatch, "ml-1m", "0" * 32)
    with pytest.raises(DownloadError, match="does not match"):
        load_dataset("ml-1m")
    assert left_in(data_dir) == []


def test_a_download_cut_short_leaves_nothing_behind(published, server, data_dir):
    server.cut_short = 1
    with pytest.raises(DownloadError, match="could not be downloaded"):
        load_dataset("ml-1m")
    assert left_in(data_dir) == []
    assert load_dataset("ml-1m").shape == (2, 2)


def test_a_download_cut_short_is_tried_again(published, server, data_dir, monkeypatch):
    monkeypatch.setattr(download, "RETRIES", 1)
    server.cut_short = 1
    assert load_dataset("ml-1m").shape == (2, 2)
    assert server.requested == ["/ml-1m.zip"] * 2


def test_not_on_the_server(server, data_dir):
    with pytest.raises(DownloadError, match="404"):
        load_dataset("ml-1m")
    assert left_in(data_dir) == []


def test_offline_it_says_what_to_fetch_and_where_to_put_it(data_dir):
    with pytest.raises(DownloadError) as error:
        load_dataset("ml-20m")
    message = str(error.value)
    assert f"put http://127.0.0.1:9/ml-20m.zip in the folder {data_dir}" in message
    assert "as ml-20m.zip" in message


def test_the_real_addresses():
    for name, published in ZIPS.items():
        assert published.url == f"https://files.grouplens.org/datasets/movielens/{name}.zip"


@pytest.mark.parametrize("name", FIXED)
def test_a_zip_put_there_by_hand(name: str, data_dir, monkeypatch):
    expect_md5(monkeypatch, name, md5(write_zip(data_dir, name)))
    assert len(load_tables(name).ratings) == 3


def test_a_zip_put_there_that_is_not_the_published_one(data_dir):
    path = write_zip(data_dir, "ml-1m")
    with pytest.raises(DownloadError, match=f"{md5(path)}, expected c4d9eecf.* delete it"):
        load_dataset("ml-1m")
    assert left_in(data_dir) == ["ml-1m.zip"]


def test_an_older_latest_put_there_is_taken(data_dir):
    write_zip(data_dir, "ml-latest")
    assert load_dataset("ml-latest").shape == (2, 2)


def test_a_damaged_latest_put_there(data_dir):
    path = write_zip(data_dir, "ml-latest")
    content = bytearray(path.read_bytes())
    content[content.index(b"3.5")] ^= 1
    path.write_bytes(content)
    with pytest.raises(DownloadError, match=r"could not be unpacked .*Bad CRC-32"):
        load_dataset("ml-latest")
    assert left_in(data_dir) == ["ml-latest.zip"]


@pytest.mark.parametrize("content", [b"", b"<html>sign in first</html>"])
def test_not_a_zip(content: bytes, data_dir):
    (data_dir / "ml-latest.zip").write_bytes(content)
    with pytest.raises(DownloadError, match="not a zip file"):
        load_dataset("ml-latest")


@pytest.mark.parametrize(
    "name", ["../evil", "ml-latest/../../evil", "/evil", "C:\\evil", "..\\evil"]
)
def test_a_zip_that_leads_out_of_its_folder(name: str, data_dir):
    with zipfile.ZipFile(write_zip(data_dir, "ml-latest"), "a") as archive:
        archive.writestr(name, b"!")
    with pytest.raises(DownloadError, match="outside of its folder"):
        load_dataset("ml-latest")
    assert left_in(data_dir) == ["ml-latest.zip"]
    assert not list(data_dir.parent.glob("**/evil"))


def test_a_link_in_a_zip_becomes_a_file(data_dir):
    link = zipfile.ZipInfo("ml-latest/link")
    link.create_system, link.external_attr = 3, 0o120777 << 16
    with zipfile.ZipFile(write_zip(data_dir, "ml-latest"), "a") as archive:
        archive.writestr(link, "/etc/passwd")
    load_dataset("ml-latest")
    assert not (data_dir / "ml-latest" / "link").is_symlink()
    assert (data_dir / "ml-latest" / "link").read_text() == "/etc/passwd"


def test_a_zip_bomb(data_dir, monkeypatch):
    write_zip(data_dir, "ml-latest")
    monkeypatch.setattr(unpack, "MAX_BYTES", 100)
    with pytest.raises(DownloadError, match="not the zip that is published"):
        load_dataset("ml-latest")
    assert left_in(data_dir) == ["ml-latest.zip"]


def test_another_zip_under_its_name(data_dir):
    write_zip(data_dir, "ml-latest-small").rename(data_dir / "ml-latest.zip")
    with pytest.raises(DownloadError, match="holds no folder ml-latest/"):
        load_dataset("ml-latest")


def test_an_interrupted_unpack_is_never_taken_for_whole(data_dir, monkeypatch):
    write_zip(data_dir, "ml-latest")

    def interrupted(*args: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(unpack, "_move", interrupted)
        with pytest.raises(KeyboardInterrupt):
            load_dataset("ml-latest")
    assert left_in(data_dir) == ["ml-latest.zip"]
    assert load_dataset("ml-latest").shape == (2, 2)


def test_another_process_unpacked_it_first(data_dir):
    archive = write_zip(data_dir, "ml-latest")
    for _ in range(2):
        unpack.unpack(archive, "ml-latest", data_dir / "ml-latest")
    assert left_in(data_dir) == ["ml-latest", "ml-latest.zip"]


def test_a_data_directory_that_is_a_file(published, tmp_path: Path):
    (tmp_path / "file").touch()
    with pytest.raises(DownloadError, match="could not be downloaded"):
        load_dataset("ml-1m", data_dir=tmp_path / "file")
