"""A store: all that was saved last, or all of what is new; nothing else is believed."""

import os

import pandas as pd
import pyarrow as pa
import pytest
from forged_stores import forge, reseal

from recvae.disk import manifest
from recvae.disk.manifest import DamagedError, DifferentError, MissingError
from recvae.disk.store import LOCK, Store, crc32, locked
from recvae.disk.untrusted import read_table


@pytest.fixture(params=["sha256", "crc32"])
def store(request, tmp_path):
    place = tmp_path / "folder"
    return Store(place, "thing") if request.param == "sha256" else Store(place, "thing", crc32)


def save(store, text, about=("a", 1)):
    store.save(
        {"text.npy": lambda path: path.write_text(text)}, about=dict([about]), facts={"n": 1}
    )


def test_what_is_read_is_what_was_saved_last(store):
    for text in ("one", "two", ""):
        save(store, text)
        stored = store.read({"a": 1})
        assert stored.read("text") == stored.path("text").read_bytes() == text.encode()
        assert stored.facts == {"n": 1}
        assert len(list(store.folder.iterdir())) == 3  # the manifest and the lock, too


def test_facts_are_compared_as_json_gives_them_back(store):
    save(store, "one", ("a", (1, 2)))
    store.read({"a": [1, 2]})
    with pytest.raises(DifferentError, match="another a"):
        store.read({"a": (1, 3)})


def test_there_is_none(store):
    with pytest.raises(MissingError, match=r"thing\.json"):
        store.read()


def test_a_write_that_fails_leaves_what_was_there(store, monkeypatch):
    save(store, "one")

    def fail(*_):
        raise OSError("no room")

    monkeypatch.setattr(manifest, "write", fail)
    with pytest.raises(OSError, match="no room"):
        save(store, "two")
    monkeypatch.undo()
    assert store.read().read("text") == b"one"
    save(store, "three")
    assert len(list(store.folder.glob("text-*"))) == 1


@pytest.mark.parametrize("what", ["manifest", "file"])
@pytest.mark.parametrize("damage", ["flip", "cut", "longer", "pipe", "link", "folder"])
def test_what_is_damaged_is_refused(store, tmp_path, what, damage):
    save(store, "one and two")
    path = store.manifest if what == "manifest" else next(store.folder.glob("text-*"))
    content = path.read_bytes()
    path.rename(tmp_path / "aside")
    match damage:
        case "flip":
            path.write_bytes(content[:5] + bytes([content[5] ^ 1]) + content[6:])
        case "cut":
            path.write_bytes(content[:-1])
        case "longer":
            path.write_bytes(content + b"?")
        case "pipe":
            os.mkfifo(path)
        case "link":
            path.symlink_to(tmp_path / "aside")
        case "folder":
            path.mkdir()
    for read in ("read", "path"):
        with pytest.raises(DamagedError):
            getattr(store.read(), read)("text")


@pytest.mark.parametrize("name", ["../aside", "/etc/passwd", ".lock", "a\0.npy", "text.npy\n"])
def test_no_name_leads_out_of_the_folder(store, name):
    save(store, "one")
    reseal(store.manifest, lambda said: said["files"]["text"].update(name=name))
    with pytest.raises(DamagedError):
        store.read()


def test_one_that_was_forged_with_right_checksums_is_read(store):
    save(store, "one")
    forge(store, "text", b"two")
    assert store.read().read("text") == b"two"


def test_who_does_not_wait_is_told(store):
    save(store, "one")
    busy = RuntimeError("busy")
    with (
        locked(store.folder / LOCK),
        pytest.raises(RuntimeError, match="busy"),
        locked(store.folder / LOCK, busy),
    ):
        pass


def test_arrow_reads_buffers_of_its_own(monkeypatch):
    """One of Python's bytes may outlive Python in a thread of Arrow's, which ends the process."""
    read, given = pa.BufferReader, []
    monkeypatch.setattr(pa, "BufferReader", lambda buffer: given.append(buffer) or read(buffer))
    table = pd.DataFrame({"title": ["a", "b"]})
    pd.testing.assert_frame_equal(read_table(table.to_parquet()), table)
    assert given
    assert all(isinstance(buffer, pa.Buffer) and buffer.is_mutable for buffer in given)
