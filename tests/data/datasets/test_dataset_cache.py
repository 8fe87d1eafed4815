import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from forged_stores import forge
from releases_by_hand import write_folder

from recvae.data.datasets import cache, loading
from recvae.data.datasets.loading import load_dataset
from recvae.data.interactions import Interactions
from recvae.disk.store import Store, crc32


@pytest.fixture
def folder(data_dir: Path) -> Path:
    return write_folder(data_dir, "ml-1m")


@pytest.fixture
def parsed(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """The folders that were parsed, not taken from the cache."""
    folders: list[Path] = []
    read = loading.read_tables

    def counted(folder, *arguments, **options):
        folders.append(folder)
        return read(folder, *arguments, **options)

    monkeypatch.setattr(loading, "read_tables", counted)
    return folders


def cache_files(tmp_path: Path) -> list[Path]:
    return sorted(path for path in (tmp_path / "cache").rglob("[!.]*") if path.is_file())


def assert_same(one: Interactions, other: Interactions) -> None:
    assert one.fingerprint() == other.fingerprint()
    assert np.array_equal(one.timestamps, other.timestamps)
    assert np.array_equal(one.positions, other.positions)
    pd.testing.assert_frame_equal(one.users, other.users)
    pd.testing.assert_frame_equal(one.items, other.items)


def test_the_second_load_is_the_same_and_parses_nothing(folder, parsed):
    assert_same(load_dataset("ml-1m"), load_dataset("ml-1m"))
    assert len(parsed) == 1


def test_what_has_no_times_is_kept_too(data_dir: Path, parsed):
    write_folder(data_dir, "gowalla")
    for _ in range(2):
        assert load_dataset("gowalla").timestamps is None
    assert len(parsed) == 1


def test_other_filters_need_no_parsing(folder, parsed):
    load_dataset("ml-1m", min_rating=4)
    assert load_dataset("ml-1m").matrix.nnz == 3
    assert len(parsed) == 1


def test_what_is_loaded_may_be_written_to(folder):
    for _ in range(2):
        data = load_dataset("ml-1m")
        data.matrix.data[:] = 1
        data.timestamps[:] = 0
    assert load_dataset("ml-1m").matrix.data.tolist() == [3, 5, 4]


@pytest.mark.parametrize("file", ["ratings.dat", "movies.dat", "users.dat"])
def test_it_notices_when_its_source_changed(file: str, folder: Path, parsed, tmp_path):
    load_dataset("ml-1m")
    content = (folder / file).read_bytes()
    (folder / file).write_bytes(content + content.splitlines()[0].replace(b"1", b"3") + b"\n")
    n_files = len(cache_files(tmp_path))
    load_dataset("ml-1m")
    load_dataset("ml-1m")
    assert len(parsed) == 2
    assert len(cache_files(tmp_path)) == n_files


def test_it_notices_a_change_of_time_alone(folder: Path, parsed):
    load_dataset("ml-1m")
    (folder / "ratings.dat").write_text(
        "1::1193::4::978300760\n1::661::3::978302109\n2::661::4::0\n"
    )
    os.utime(folder / "ratings.dat", ns=(1, 1))
    assert load_dataset("ml-1m").matrix.toarray().tolist() == [[3, 4], [4, 0]]
    assert len(parsed) == 2


def test_two_directories_do_not_share(folder, tmp_path: Path, parsed):
    write_folder(tmp_path / "other", "ml-1m")
    load_dataset("ml-1m")
    load_dataset("ml-1m", data_dir=tmp_path / "other")
    load_dataset("ml-1m")
    assert len(parsed) == 2


def damage(path: Path, how: str) -> None:
    content = path.read_bytes()
    if how == "deleted":
        path.unlink()
    elif how == "emptied":
        path.write_bytes(b"")
    elif how == "cut":
        path.write_bytes(content[: len(content) // 2])
    else:
        path.write_bytes(content[:-2] + bytes([content[-2] ^ 1]) + content[-1:])


@pytest.mark.parametrize(
    ("number", "how"), [*enumerate(["deleted", "emptied", "cut", "flipped"] * 2)]
)
def test_a_damaged_cache_is_silently_rebuilt(number: int, how: str, folder, parsed, tmp_path):
    whole = load_dataset("ml-1m")
    files = cache_files(tmp_path)
    assert len(files) == 8
    damage(files[number], how)
    assert_same(load_dataset("ml-1m"), whole)
    assert len(parsed) == 2
    assert_same(load_dataset("ml-1m"), whole)
    assert len(parsed) == 2


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("indices", [0, 1, 10**6]),
        ("indices", [0, -1, 0]),
        ("indptr", [0, 5, 3]),
        ("data", [1.0, np.nan, 1.0]),
        ("data", [1.0, 0.0, 1.0]),
        ("timestamps", [1]),
        ("positions", ["a", "b", "c"]),
    ],
)
def test_a_cache_with_right_checksums_and_wrong_arrays(name, values, folder, parsed, tmp_path):
    whole = load_dataset("ml-1m")
    (path,) = (tmp_path / "cache").rglob(f"{name}-*.npy")
    dtype = np.load(path).dtype if name != "positions" else "U1"
    np.save(tmp_path / "other.npy", np.array(values, dtype=dtype))
    store = Store(path.parent, cache.KIND, crc32)
    forge(store, name, (tmp_path / "other.npy").read_bytes())
    assert_same(load_dataset("ml-1m"), whole)
    assert len(parsed) == 2


def test_a_cache_with_a_pipe_in_it(folder, parsed, tmp_path):
    whole = load_dataset("ml-1m")
    path = cache_files(tmp_path)[0]
    path.unlink()
    os.mkfifo(path)
    assert_same(load_dataset("ml-1m"), whole)
    assert_same(load_dataset("ml-1m"), whole)
    assert len(parsed) == 2


def test_a_cache_that_can_not_be_written_is_no_error(folder, parsed, tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    monkeypatch.setenv("RECVAE_CACHE", str(tmp_path / "file"))
    assert_same(load_dataset("ml-1m"), load_dataset("ml-1m"))
    assert len(parsed) == 2


def test_who_has_no_home_has_no_cache(folder, parsed, tmp_path, monkeypatch):
    monkeypatch.delenv("RECVAE_CACHE")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("pooch.os_cache", lambda name: Path("~/.cache", name))
    assert_same(load_dataset("ml-1m"), load_dataset("ml-1m"))
    assert len(parsed) == 2
    assert not Path("~").exists()


def test_nothing_is_written_beside_the_data(folder, data_dir):
    before = sorted(data_dir.rglob("*"))
    load_dataset("ml-1m")
    assert sorted(data_dir.rglob("*")) == before
