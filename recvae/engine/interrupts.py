"""Interrupts: when Ctrl-C and SIGTERM take effect."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from threading import current_thread, main_thread
from typing import Any, Self


class HeldBack:
    """A context in which Ctrl-C and SIGTERM wait until `deliver` is called.

    A second signal of the same kind takes effect at once. Only the main thread gets signals, so
    that in any other thread this does nothing.
    """

    def __init__(self) -> None:
        self._handlers: dict[int, Any] = {}
        self._pending: list[int] = []

    def __enter__(self) -> Self:
        if current_thread() is main_thread():
            for number in (signal.SIGINT, signal.SIGTERM):
                if signal.getsignal(number) not in (signal.SIG_IGN, None):
                    self._handlers[number] = signal.signal(number, self._remember)
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._handlers.items():
            signal.signal(number, handler)
        self.deliver()

    @property
    def pending(self) -> bool:
        """Whether a signal came and was not delivered yet."""
        return bool(self._pending)

    def deliver(self) -> None:
        """Let the signals that came take effect now: Ctrl-C raises KeyboardInterrupt."""
        while self._pending:
            signal.raise_signal(self._pending.pop())

    def _remember(self, number: int, _: object) -> None:
        self._pending.append(number)
        signal.signal(number, self._handlers.pop(number))


@contextmanager
def sigterm_as_ctrl_c() -> Iterator[None]:
    """A context in which SIGTERM raises KeyboardInterrupt, as Ctrl-C does."""
    if current_thread() is not main_thread():
        yield
        return
    handler = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, handler)
