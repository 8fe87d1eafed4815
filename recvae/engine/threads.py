"""Threads: those of torch take their part of the machine, and no more.

At the end of each parallel loop, a thread of OpenMP spins while it waits for the others: it looks
again and again, for about a millisecond, and does not give its core away. Nothing is faster on
a quiet machine. But where other programs run, the thread that it waits for may itself wait for a
core, the very one that is burnt by spinning: a fit took up to fifteen times as long.
"""

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, suppress
from math import ceil
from pathlib import Path
from threading import Event, Thread
from typing import TypeVar

import torch

from recvae.engine import machine
from recvae.engine.switch import Switch, Undo

PERIOD, HELD = 0.1, 5.0
"""Seconds between two looks at how busy the machine is, and until the next look if it is."""
CROWDED = 0.3
"""The part of the time that threads wait for a core where other programs are in the way: with 2
threads beside one such program it is above 0.5, alone below 0.1."""
NANO = 1e9
ENOUGH = 2**20
"""Elements that torch divides among threads."""

Part = TypeVar("Part")
Result = TypeVar("Result")


def in_threads(work: Callable[[Part], Result], parts: Sequence[Part]) -> Iterator[Result]:
    """Do some work for each part, in order, in as many threads as torch has.

    For products of SciPy, which multiplies in one thread, and lets others run meanwhile.
    """
    n_threads = min(len(parts), torch.get_num_threads())
    if n_threads <= 1:  # as for one user's request: a thread would only cost
        yield from map(work, parts)
        return
    workers = ThreadPoolExecutor(n_threads)
    try:
        yield from workers.map(work, parts)
    finally:
        workers.shutdown(cancel_futures=True)


def a_part_each(n: int) -> list[slice]:
    """Cut n rows into as many parts as torch has threads, of equal size, in order."""
    size = max(1, ceil(n / torch.get_num_threads()))
    return [slice(start, start + size) for start in range(0, n, size)]


def _watch() -> Undo:
    _within_quota()
    over = Event()
    watcher = Thread(target=_step_back_if_crowded, args=(over,), name="recvae-threads", daemon=True)
    watcher.start()

    def end() -> None:
        over.set()
        watcher.join()

    return end


considerate: Callable[[], AbstractContextManager[None]] = Switch(_watch).on
"""A context in which threads hardly spin while other programs are in the way."""


def _step_back_if_crowded(over: Event) -> None:
    """Look how busy the machine is; where it is crowded, have a second team of threads for a while.

    GNU's OpenMP spins only briefly, for a hundredth of the time, while its threads are more than
    the cores. A loop that a thread of Python's has run leaves a team of sleeping threads, which
    count, as long as that thread lives.
    """
    waited = _seconds_waited()
    while not over.wait(PERIOD):
        before, waited = waited, _seconds_waited()
        if waited - before > CROWDED * PERIOD:
            second = Thread(target=_hold_a_team, args=(over,), daemon=True)
            second.start()
            second.join()
            waited = _seconds_waited()


def _hold_a_team(over: Event) -> None:
    torch.ones(ENOUGH)
    over.wait(HELD)


def _seconds_waited() -> float:
    """How long the threads of this process were ready to run, and had to wait for a core.

    Linux tells it for each thread; elsewhere, where OpenMP is another one, it is 0.
    """
    total = 0
    for path in Path("/proc/self/task").glob("*/schedstat"):
        with suppress(OSError):  # the thread has ended
            total += int(path.read_text().split()[1])
    return total / NANO


def _within_quota() -> None:
    """No more threads than a container's quota has cores, unless the user has chosen a number."""
    threads = torch.get_num_threads()
    if "OMP_NUM_THREADS" not in os.environ and threads > (most := max(1, ceil(machine.cores()))):
        torch.set_num_threads(most)


def _one_thread() -> None:
    """Go on with one thread: a fork has no others, for which OpenMP would wait forever."""
    torch.set_num_threads(1)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_one_thread)
