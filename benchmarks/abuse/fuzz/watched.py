"""Watched: mutations are loaded in processes that may crash, hang or grow without harm."""

import logging
import resource
import shutil
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter

import torch

from benchmarks.abuse.fuzz.mutations import Mutations
from benchmarks.abuse.fuzz.targets import Target, targets
from recvae.errors import RecvaeError

SECONDS = 300
"""What a load may take before it counts as a hang."""
GROWTH = 512 * 2**10
"""KiB that a load may add to the most memory that its process has had."""
CEILING = 8 * 2**30
"""Bytes of addresses that a process may take beyond those it begins with."""

PROCESSES = get_context("forkserver")


@dataclass(frozen=True)
class Outcome:
    """What came of a mutation: "refused", "same" or "other"."""

    number: int
    what: str


@dataclass(frozen=True)
class Finding(Outcome):
    """What should not have come: an exception, a crash, a hang, memory, an unsealed other."""

    text: str


def outcomes(numbers: range, folder: Path, processes: int) -> Iterator[Outcome]:
    """Load mutations of what `prepare` has put into a folder; what came of each, as it comes."""
    watched = [Watched(numbers[start::processes], folder) for start in range(processes)]
    while watched := [one for one in watched if not one.done]:
        wait([one.connection for one in watched], timeout=1)
        for one in watched:
            yield from one.outcomes()


class Watched:
    """A process that loads mutations; another follows it when it has crashed or hung."""

    def __init__(self, numbers: range, folder: Path) -> None:
        self._numbers, self._folder = numbers, folder
        self._start()

    @property
    def done(self) -> bool:
        """Whether all numbers have had their outcome."""
        if not self._numbers:
            self._process.kill()
            self._process.join()
        return not self._numbers

    def outcomes(self) -> Iterator[Outcome]:
        """What has come since the last call."""
        try:
            while self._numbers and self.connection.poll(0):
                yield self._next(self.connection.recv())
            crash = None
        except EOFError:
            self._process.join()
            crash = Finding(self._numbers[0], "crash", f"exit code {self._process.exitcode}")
        if crash is None and self._numbers and perf_counter() - self._heard > SECONDS:
            crash = Finding(self._numbers[0], "hang", f"more than {SECONDS} s")
        if crash is not None:
            self._process.kill()
            yield self._next(crash)
            self._start()

    def _next(self, outcome: Outcome) -> Outcome:
        """Go on to the next number."""
        self._numbers, self._heard = self._numbers[1:], perf_counter()
        return outcome

    def _start(self) -> None:
        """Start a process for the numbers that have had no outcome."""
        self._heard = perf_counter()
        self.connection, theirs = PROCESSES.Pipe()
        self._process: BaseProcess = PROCESSES.Process(
            target=load_all, args=(self._numbers, self._folder, theirs)
        )
        self._process.start()
        theirs.close()


def load_all(numbers: range, saved: Path, connection: Connection) -> None:
    """Load one mutation after another, and say what came."""
    logging.disable()
    warnings.simplefilter("ignore")
    torch.set_num_threads(1)
    mutations = Mutations(targets(saved))
    with TemporaryDirectory(prefix="fuzz-") as scratch:
        folder = Path(scratch) / "entry"
        expected = {target.folder: _expected(target, folder) for target in targets(saved)}
        _limit_memory()
        for number in numbers:
            connection.send(_load(number, mutations, folder, expected))


def _load(number: int, mutations: Mutations, folder: Path, expected: dict[Path, str]) -> Outcome:
    """Load one mutation, and judge what came."""
    target, sealed = mutations.write(number, folder)
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    try:
        what = "same" if target.load(folder) == expected[target.folder] else "other"
    except RecvaeError:
        what = "refused"
    except Exception as error:
        return Finding(number, type(error).__name__, f"{target.name}: {error}"[:300])
    finally:
        _remove(folder)
    growth = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - most
    if growth > GROWTH:
        return Finding(number, "memory", f"{target.name}: {growth / 2**10:,.0f} MiB, then {what}")
    if what == "other" and not sealed:
        return Finding(number, "silent other", target.name)
    return Outcome(number, what)


def _limit_memory() -> None:
    """Let this process have no more than the ceiling from now on."""
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    most = pages * resource.getpagesize() + CEILING
    resource.setrlimit(resource.RLIMIT_AS, (most, most))


def _expected(target: Target, folder: Path) -> str:
    """The digest of what was saved, loaded from where the mutations will be."""
    shutil.copytree(target.folder, folder)
    digest = target.load(folder)
    _remove(folder)
    return digest


def _remove(folder: Path) -> None:
    """Remove a mutation, and what was put aside."""
    if folder.is_symlink():
        folder.unlink()
    for path in (folder, folder.with_name("aside")):
        shutil.rmtree(path, ignore_errors=True)
