import pytest

from recvae.engine import memory


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
