"""Checkpoints in their folder: what is kept, and what can happen to it."""

import errno
import json
import os
import resource

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

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
    return sorted(kept.folder.glob("*.safetensors"))


def test_a_state_comes_back_bit_for_bit(kept):
    state = {
        "weights": [torch.randn(3, 2), torch.tensor(1.0)],
        "noise": torch.Generator().get_state(),
        "none": None,
        "nested": {"value": 0.1 + 0.2, "least": float("-inf"), "big": 2**127 + 1, "text": "a.b"},
    }
    kept.save(state)
    loaded = again(kept).load()
    for one, other in zip(state["weights"], loaded.pop("weights"), strict=True):
        assert torch.equal(one, other)
    assert torch.equal(state["noise"], loaded.pop("noise"))
    assert loaded == {"none": None, "nested": state["nested"]}


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
        lambda part: st.lists(part) | st.dictionaries(st.text(), part),
    )
)
def test_any_state_without_tensors_is_put_back_as_it_was(state):
    taken = checkpoints._taken_out({"state": state}, {})
    assert checkpoints._put_back(json.loads(json.dumps(taken)), None) == {"state": state}


def test_the_last_two_are_kept(kept):
    for number in range(4):
        kept.save({"number": number})
    assert len(files(kept)) == 2
    assert again(kept).load() == {"number": 3}


def test_there_is_none(kept):
    assert kept.load() is None
    assert not checkpoints.has_checkpoints(kept.folder)


@pytest.mark.parametrize("damage", ["flip", "truncate", "empty", "rename", "pipe", "endless"])
def test_a_damaged_one_gives_way_to_the_one_before(kept, damage, caplog):
    for number in range(2):
        kept.save({"number": number, "weight": torch.zeros(9)})
    newest = files(kept)[-1]
    content = bytearray(newest.read_bytes())
    if damage == "flip":
        content[-1] ^= 1
        newest.write_bytes(content)
    elif damage == "pipe":
        newest.unlink()
        os.mkfifo(newest)
    elif damage == "endless":
        os.truncate(newest, 2**42)
    elif damage == "rename":
        newest.rename(newest.with_name(f"state-000002-{'0' * 12}.safetensors"))
    else:
        newest.write_bytes(content[:-5] if damage == "truncate" else b"")
    after = again(kept)
    assert after.load()["number"] == 0
    assert "is damaged" in caplog.text
    after.save({"number": 2})
    assert [again(kept).load()["number"], len(files(kept))] == [2, 2]
    files(kept)[-1].unlink()
    assert again(kept).load()["number"] == 0


def test_all_are_damaged(kept):
    kept.save({"number": 0})
    files(kept)[0].write_bytes(b"")
    with pytest.raises(CheckpointError, match="are damaged: remove"):
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
    for name in (".state-000001.safetensors.77", ".tmpAbC123"):
        (kept.folder / name).write_bytes(b"half of it")
    kept.save({"number": 0})
    kept.__exit__()
    with again(kept):
        assert sorted(path.name for path in kept.folder.iterdir() if path.name != ".lock") == [
            path.name for path in files(kept)
        ]


def test_a_file_of_another_name_is_left_alone(kept):
    mine = kept.folder / "state-of-the-art.safetensors"
    mine.touch()
    assert again(kept).load() is None
    kept.save({"number": 0})
    assert again(kept).load() == {"number": 0}
    assert mine.exists()


def test_a_second_training_in_the_folder_is_refused(kept):
    with pytest.raises(CheckpointError, match="another training is at work"), again(kept):
        pass
    kept.__exit__()
    with again(kept):
        pass


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
    assert len(list(kept.folder.iterdir())) == 2  # it and the lock
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
    monkeypatch.setattr(checkpoints.atomic, "sync", lambda _: seconds.append(seconds.pop() + 1))
    kept.save({})
    assert seconds == [10**9 + 2]
    seconds[0] += 39
    assert not kept.cheap
    seconds[0] += 1
    assert kept.cheap
