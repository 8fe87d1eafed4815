"""Job: a folder that tasks fill with files, which is finished or can be gone on with."""

import json
import shutil
from abc import ABC, abstractmethod
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from filelock import FileLock, Timeout

from recvae.disk import atomic
from recvae.errors import DataError, RecvaeError, difference

ABOUT = "job.json"
WORK = ".work"
SUCCESS = "_SUCCESS"


class Job:
    """The work on a folder; what was done for another job is refused.

    Attributes:
        folder: where the results go; it is locked while this is entered as a context. `job.json`
            in it says what the job is, `_SUCCESS` that all is done.
        about: what decides the results, name by name.
        work: a folder in it for what is in between, which is removed when all is done.
    """

    def __init__(self, folder: Path, about: dict[str, Any]) -> None:
        self.folder, self.work = folder, folder / WORK
        self.about = json.loads(json.dumps(about))
        self._lock = FileLock(folder / ".lock")

    def __enter__(self) -> Self:
        """Lock the folder, and see whose work is in it.

        Raises:
            DataError: it holds other files, or another job's, or another process is at work in it.
            WriteError: it can't be made.
        """
        atomic.make_folder(self.folder)
        try:
            self._lock.acquire(timeout=0)
        except Timeout:
            raise DataError(f"another process is at work in {self.folder}: wait for it.") from None
        try:
            self._claim()
        except BaseException:
            self._lock.release()
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is None:
            atomic.replace(self.folder / SUCCESS, b"")
            shutil.rmtree(self.work)
        elif issubclass(kind, RecvaeError) and not self._has_results():
            (self.folder / ABOUT).unlink()  # the same would fail again, so let another be tried
            shutil.rmtree(self.work)
        self._lock.release()

    def _claim(self) -> None:
        path = self.folder / ABOUT
        if path.is_file():
            self._require_same(path)
        elif self._has_results():
            raise DataError(f"{self.folder} holds other files: choose another folder.")
        else:
            atomic.replace(path, json.dumps(self.about, indent=2).encode())
        self.work.mkdir(exist_ok=True)
        for draft in self.folder.glob(".*.parquet.*"):
            draft.unlink()

    def _require_same(self, path: Path) -> None:
        try:
            before = dict(json.loads(path.read_bytes()))
        except (ValueError, TypeError):
            raise DataError(f"{path} is damaged: choose another folder.") from None
        if other := difference(before, self.about):
            raise DataError(
                f"{self.folder} holds the work of a job with {other}: give the same, or choose "
                "another folder."
            )

    def _has_results(self) -> bool:
        return any(self.folder.glob("*.parquet"))


@dataclass(frozen=True)
class Files:
    """A file for each number, which is there and whole, or is not there.

    Attributes:
        folder: where they are.
        name: what they are called, `parts-{:05}.arrow`.
    """

    folder: Path
    name: str

    def __getitem__(self, number: int) -> Path:
        return self.folder / self.name.format(number)


@dataclass(frozen=True, kw_only=True)
class FileTask(ABC):
    """What is done for each number: a file is made, unless it is there.

    Attributes:
        out: the files.
    """

    out: Files

    def __call__(self, number: int) -> None:
        """Do the task of a number."""
        path = self.out[number]
        if not path.exists():
            with atomic.draft_of(path) as draft:
                self.fill(number, draft)

    @abstractmethod
    def fill(self, number: int, path: Path) -> None:
        """Write the file of a number."""
