"""Checkpoints in their folder: what is kept, and what can happen to it."""

import errno
import os
import resource

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from recvae.disk.store import Store
from recvae.engine import checkpoints
from recvae.engine.checkpoints import Checkpoints
from recvae.engine.groups import Group
from recvae.errors import CheckpointError

ABOUT = {"model": "mult-vae", "hidden": (600, 200), "beta": 0.2}


@pytest.fixture
def kept(tmp_path):
    with Checkpoints(tmp_path / "run", ABOUT) as kept:
        yield kept


def again(kept, about=ABOUT):
    """The same folder, as the next process finds it."""
    return Checkpoints(kept.folder, about)


def files(kept):
    """The files of states, the newest last."""
    stored = [place.read() for place in kept._places if place.manifest.exists()]
    stored.sort(key=lambda saved: saved.facts["number"])
    return [saved.store.folder / saved.files["state"].name for saved in stored]


def test_a_state_comes_back_bit_for_bit(kept):
    state = {
        "weights": [torch.randn(3, 2), torch.tensor(1.0)],
        "noise": torch.Generator().get_state(),
        "net": {"tensor": torch.ones(2)},  # a parameter may have any name
        "none": None,
        "nested": {"value": 0.1 + 0.2, "least": float("-inf"), "big": 2**127 + 1, "text": "a.b"},
    }
    kept.save(state)
    loaded = again(kept).load()
    for one, other in zip(state["weights"], loaded.pop("weights"), strict=True):
        assert torch.equal(one, other)
    assert torch.equal(state["noise"], loaded.pop("noise"))
    assert torch.equal(state["net"]["tensor"], loaded.pop("net")["tensor"])
    assert loaded == {"none": None, "nested": state["nested"]}


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
        lambda part: st.lists(part) | st.dictionaries(st.text(), part),
        max_leaves=5,
    )
)
def test_any_state_without_tensors_is_put_back_as_it_was(state):
    text, tensors = checkpoints._packed({"state": state})
    assert checkpoints._unpacked(text, None) == {"state": state}
    assert tensors == {}


def test_the_last_two_are_kept(kept):
    for number in range(4):
        kept.save({"number": number})
    assert len(files(kept)) == 2
    assert again(kept).load() == {"number": 3}


def test_there_is_none(kept):
    assert kept.load() is None
    assert not checkpoints.has_checkpoints(kept.folder)


@pytest.mark.parametrize("what", ["state", "manifest"])
@pytest.mark.parametrize("damage", ["flip", "truncate", "empty", "pipe", "endless", "folder"])
def test_a_damaged_one_gives_way_to_the_one_before(kept, what, damage, caplog):
    for number in range(2):
        kept.save({"number": number, "weight": torch.zeros(9)})
    newest = files(kept)[-1]
    path = newest if what == "state" else newest.with_name("checkpoint.json")
    content = bytearray(path.read_bytes())
    path.unlink()
    content[-20] ^= 1
    match damage:
        case "flip":
            path.write_bytes(content)
        case "truncate":
            path.write_bytes(content[:-5])
        case "empty":
            path.touch()
        case "pipe":
            os.mkfifo(path)
        case "endless":
            path.touch()
            os.truncate(path, 2**42)
        case "folder":
            path.mkdir()
    after = again(kept)
    assert after.load()["number"] == 0
    assert "is damaged" in caplog.text
    if damage == "folder":
        path.rmdir()
    after.save({"number": 2})
    assert [again(kept).load()["number"], len(files(kept))] == [2, 2]
    files(kept)[-1].unlink()
    assert again(kept).load()["number"] == 0


@pytest.mark.parametrize("name", ["state-*.safetensors", "checkpoint.json"])
def test_all_are_damaged(kept, name):
    kept.save({"number": 0})
    next(kept.folder.rglob(name)).write_bytes(b"")
    with pytest.raises(CheckpointError, match="is intact: remove"):
        again(kept).load()


def test_none_is_intact_for_all_processes(kept):
    """This one has the fourth and the fifth, another the first and the second."""

    class Everyone(Group):
        others = iter([-2, 2, 0, 2, 0, 0, 2])

        def max(self, number):
            return max(number, next(self.others))

    for number in range(5):
        kept.save({"number": number})
    two = Checkpoints(kept.folder, ABOUT, Everyone(size=2))
    with pytest.raises(CheckpointError, match="intact for all processes: remove"):
        two.load()
    assert len(files(kept)) == 2


@pytest.mark.parametrize(
    "other", [ABOUT | {"beta": 0.3}, ABOUT | {"new": 1}, {"model": "mult-vae"}]
)
def test_those_of_another_training_are_refused(kept, other):
    kept.save({"number": 0})
    with pytest.raises(CheckpointError, match=r"with another (beta|new|hidden) \("):
        again(kept, other).load()


def test_what_a_kill_left_behind_is_removed(kept):
    kept.save({"number": 0})
    place = files(kept)[0].parent
    drafts = (".state.safetensors.77", ".checkpoint.json.77", ".tmpAbC123")
    for name in (*drafts, "state-0123456789ab.safetensors"):
        (place / name).write_bytes(b"half of it")
    for number in (1, 2):
        kept.save({"number": number})
    names = {path.name for path in place.iterdir()}
    assert names == {".lock", "checkpoint.json", files(kept)[-1].name}


def test_a_file_of_another_name_is_left_alone(kept):
    kept.save({"number": 0})
    mine = files(kept)[0].with_name("state-of-the-art.safetensors")
    mine.touch()
    for number in (1, 2):
        kept.save({"number": number})
    assert again(kept).load() == {"number": 2}
    assert mine.exists()


def test_a_second_training_in_the_folder_is_refused(kept):
    with pytest.raises(CheckpointError, match="another training is at work"), again(kept):
        pass
    kept.__exit__()
    with again(kept):
        pass


def test_after_a_fallback_the_damaged_one_gives_its_place_to_the_next(kept):
    for number in range(2):
        kept.save({"number": number})
    intact, damaged = files(kept)
    damaged.write_bytes(b"")
    after = again(kept)
    after.load()
    after.save({"number": 2})
    assert intact.exists()
    assert not damaged.exists()


def test_a_full_disk_costs_no_training_and_no_checkpoint(kept, caplog):
    kept.save({"number": 0})
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, limits[1]))
    try:
        kept.save({"weight": torch.zeros(10_000)})
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert "no checkpoint can be written" in caplog.text
    assert again(kept).load() == {"number": 0}
    assert len(list(kept.folder.rglob("*.safetensors*"))) == 1
    kept.save({"number": 2})
    assert again(kept).load() == {"number": 2}


@pytest.mark.parametrize("step", ["fsync", "replace"])
def test_a_disk_that_fails_at_any_step_leaves_the_one_before(kept, step, monkeypatch):
    kept.save({"number": 0})

    def fail(*_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr(os, step, fail)
        kept.save({"number": 1})
    assert again(kept).load() == {"number": 0}


def test_a_folder_that_can_not_be_written(tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    with pytest.raises(CheckpointError, match="can't be kept"), Checkpoints(tmp_path / "file", {}):
        pass

    def refuse(*_, **__):
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))

    monkeypatch.setattr(os, "open", refuse)
    with pytest.raises(CheckpointError, match="Read-only"), Checkpoints(tmp_path, {}):
        pass


def test_they_are_due_when_time_has_passed(kept, monkeypatch):
    assert not kept.due
    monkeypatch.setattr(checkpoints, "MINUTES", 0)
    assert kept.due


def test_they_are_cheap_when_writing_took_a_small_share_of_the_time(kept, monkeypatch):
    seconds = [10.0**9]
    monkeypatch.setattr(checkpoints, "perf_counter", lambda: seconds[0])
    assert kept.cheap
    monkeypatch.setattr(Store, "save", lambda *_, **__: seconds.append(seconds.pop() + 2))
    kept.save({})
    assert seconds == [10**9 + 2]
    seconds[0] += 39
    assert not kept.cheap
    seconds[0] += 1
    assert kept.cheap
