"""Switch: a setting of the whole process that several threads may want at once."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Lock
from typing import TypeAlias

Undo: TypeAlias = Callable[[], object]


class Switch:
    """On from the first who wants it until the last is done.

    Args:
        turn_on: does so, and gives what undoes it.
    """

    def __init__(self, turn_on: Callable[[], Undo]) -> None:
        self._turn_on, self._lock, self._users = turn_on, Lock(), 0

    @contextmanager
    def on(self) -> Iterator[None]:
        """Have it on for a while."""
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
