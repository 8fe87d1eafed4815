"""Switch: a setting of the whole process that several threads may need at the same time."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from threading import Lock
from typing import Self, TypeAlias, TypeVar

Undo: TypeAlias = Callable[[], object]
T = TypeVar("T")


class Switch:
    """Turns a setting on for the first user and off after the last.

    Args:
        turn_on: turns the setting on and returns the function that turns it off.
    """

    def __init__(self, turn_on: Callable[[], Undo]) -> None:
        self._turn_on, self._lock, self._users = turn_on, Lock(), 0

    @classmethod
    def to(cls, value: T, get: Callable[[], T], put: Callable[[T], object]) -> Self:
        """A switch of a setting to a value, and back to what it was."""

        def turn_on() -> Undo:
            before = get()
            put(value)
            return partial(put, before)

        return cls(turn_on)

    @contextmanager
    def on(self) -> Iterator[None]:
        """A context in which the setting is on."""
        with self._lock:
            if self._users == 0:
                self._turn_off = self._turn_on()
            self._users += 1
        try:
            yield
        finally:
            with self._lock:
                self._users -= 1
                if self._users == 0:
                    self._turn_off()
