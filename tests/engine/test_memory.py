from types import SimpleNamespace
from unittest.mock import Mock

import pytest
import torch

from recvae.engine import memory
from recvae.errors import TrainingError


class Library:
    def __init__(self):
        self.calls = []

    def mallopt(self, name, value):
        self.calls.append((name, value))

    def malloc_trim(self, pad):
        self.calls.append("trim")


@pytest.fixture
def library(monkeypatch):
    library = Library()
    monkeypatch.setattr(memory, "_glibc", lambda: library)
    return library


def test_the_first_begins_and_the_last_gives_back(library):
    with memory.kept():
        assert library.calls == [*memory.KEEP.items()]
        with memory.kept():
            pass
        assert len(library.calls) == 2
    assert library.calls[2:] == [*memory.USUAL.items(), "trim"]


def test_an_error_gives_back_too(library):
    with pytest.raises(ValueError, match="oh"), memory.kept():
        raise ValueError("oh")
    assert library.calls[-1] == "trim"


def test_another_library_is_left_alone(library, monkeypatch):
    monkeypatch.setattr(memory, "_glibc", lambda: None)
    with memory.kept():
        pass
    assert library.calls == []


def test_another_library_may_lack_what_gnus_has(monkeypatch):
    usual = memory._glibc.__wrapped__
    monkeypatch.setattr(memory.ctypes, "CDLL", lambda _: SimpleNamespace(mallopt=print))
    assert usual() is None
    monkeypatch.setattr(memory.ctypes, "CDLL", Mock(side_effect=OSError))
    assert usual() is None


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (MemoryError(), "no more is left"),
        (MemoryError("Unable to allocate 9 GiB\nat 5"), "(Unable to allocate 9 GiB)"),
        (torch.OutOfMemoryError("CUDA is full"), "CUDA is full"),
        (RuntimeError("DefaultCPUAllocator: can't allocate memory: 9 bytes"), "9 bytes"),
    ],
)
def test_errors_for_lack_of_memory_are_one(error, said):
    with pytest.raises(TrainingError, match="smaller latent") as told, memory.as_training_error():
        raise error
    assert said in str(told.value)


def test_another_error_stays_as_it_is():
    with pytest.raises(RuntimeError, match="shapes") as told, memory.as_training_error():
        raise RuntimeError("shapes do not fit")
    assert type(told.value) is RuntimeError
