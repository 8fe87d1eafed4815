"""When Ctrl-C and SIGTERM take effect."""

import signal
from collections.abc import Iterator
from threading import Thread

import pytest

from recvae.engine.interrupts import HeldBack, sigterm_as_ctrl_c

BOTH = (signal.SIGINT, signal.SIGTERM)


@pytest.fixture
def heard() -> Iterator[list[int]]:
    """The signals that took effect, instead of ending the process."""
    seen: list[int] = []
    before = [signal.signal(number, lambda which, _: seen.append(which)) for number in BOTH]
    handlers = [signal.getsignal(number) for number in BOTH]
    yield seen
    assert [signal.getsignal(number) for number in BOTH] == handlers
    for number, handler in zip(BOTH, before, strict=True):
        signal.signal(number, handler)


@pytest.mark.parametrize("number", BOTH)
def test_a_signal_waits_until_it_is_delivered(number, heard):
    with HeldBack() as held:
        assert not held.pending
        signal.raise_signal(number)
        assert (held.pending, heard) == (True, [])
        held.deliver()
        assert (held.pending, heard) == (False, [number])
    assert heard == [number]


@pytest.mark.parametrize("number", BOTH)
def test_what_is_pending_at_the_end_is_delivered(number, heard):
    with HeldBack():
        signal.raise_signal(number)
        assert heard == []
    assert heard == [number]


@pytest.mark.parametrize("number", BOTH)
def test_a_second_one_does_not_wait(number, heard):
    with HeldBack() as held:
        signal.raise_signal(number)
        signal.raise_signal(number)
        assert heard == [number]
        held.deliver()
    assert heard == [number] * 2


def test_signals_of_two_kinds_wait_both(heard):
    with HeldBack():
        for number in BOTH:
            signal.raise_signal(number)
        assert heard == []
    assert sorted(heard) == sorted(BOTH)


def test_what_is_ignored_stays_ignored(heard):
    usual = signal.signal(signal.SIGTERM, signal.SIG_IGN)
    with HeldBack() as held:
        signal.raise_signal(signal.SIGTERM)
        assert not held.pending
    assert signal.signal(signal.SIGTERM, usual) == signal.SIG_IGN


def test_an_error_gives_the_handlers_back(heard):
    with pytest.raises(ZeroDivisionError), HeldBack():
        1 / 0  # noqa: B018


def in_a_thread(function):
    """What a function gives in another thread."""
    found = []
    thread = Thread(target=lambda: found.append(function()))
    thread.start()
    thread.join()
    (result,) = found
    return result


def test_other_threads_get_no_signals_and_touch_no_handlers(heard):
    def inside(context):
        with context:
            return [signal.getsignal(number) for number in BOTH]

    handlers = [signal.getsignal(number) for number in BOTH]
    assert in_a_thread(lambda: inside(HeldBack())) == handlers
    assert in_a_thread(lambda: inside(sigterm_as_ctrl_c())) == handlers


def test_sigterm_raises_as_ctrl_c_does_for_a_while(heard):
    with pytest.raises(KeyboardInterrupt), sigterm_as_ctrl_c():
        signal.raise_signal(signal.SIGTERM)
    signal.raise_signal(signal.SIGTERM)
    assert heard == [signal.SIGTERM]


def test_what_another_library_handles_is_left_alone(heard, monkeypatch):
    """`getsignal` gives None for a handler that was not installed from Python."""
    monkeypatch.setattr(signal, "getsignal", lambda _: None)
    with HeldBack() as held:
        signal.raise_signal(signal.SIGTERM)
        assert not held.pending
    monkeypatch.undo()
    assert heard == [signal.SIGTERM]
