"""Job: a folder that tasks fill with files, which is finished or can be gone on with."""

import shutil
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from recvae.disk import atomic
from recvae.disk.manifest import BusyError, DamagedError, DifferentError, MissingError
from recvae.disk.store import LOCK, Store, locked, remove_drafts
from recvae.errors import DataError, RecvaeError

KIND = "job"
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
        self.about = about
        self._store = Store(folder, KIND)
        self._lock = ExitStack()

    def __enter__(self) -> Self:
        """Lock the folder, and see whose work is in it.

        Raises:
            DataError: it holds other files, or another job's, or another process is at work in it.
            WriteError: it can't be made.
        """
        with atomic.writing_to(self.folder), ExitStack() as lock:
            self.folder.mkdir(parents=True, exist_ok=True)
            try:
                lock.enter_context(locked(self.folder / LOCK))
                self._claim()
            except BusyError:
                raise DataError(
                    f"another process is at work in {self.folder}: wait for it."
                ) from None
            self._lock = lock.pop_all()
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is None:
            atomic.replace(self.folder / SUCCESS, b"")
            shutil.rmtree(self.work)
        elif issubclass(kind, RecvaeError) and not self._has_results():
            self._store.manifest.unlink()  # the same would fail again, so let another be tried
            shutil.rmtree(self.work)
        self._lock.close()

    def _claim(self) -> None:
        try:
            self._store.read(self.about)
        except MissingError:
            if self._has_results():
                raise DataError(
                    f"{self.folder} holds other files: choose another folder."
                ) from None
            self._store.commit([], self.about, {})
        except DamagedError as error:
            raise DataError(
                f"{self._store.manifest} is damaged ({error}): choose another folder."
            ) from None
        except DifferentError as error:
            raise DataError(
                f"{self.folder} holds the work of a job with {error}: give the same, or choose "
                "another folder."
            ) from None
        self.work.mkdir(exist_ok=True)
        remove_drafts(self.folder)

    def _has_results(self) -> bool:
        return any(self.folder.glob("*.parquet"))


@dataclass(frozen=True)
class Files:
    """A file for each number, which is there and whole, or is not there.

    Attributes:
        folder: where they are.
        name: what they are called, `lists-{:05}.parquet`.
    """

    folder: Path
    name: str

    def __getitem__(self, number: int) -> Path:
        return self.folder / self.name.format(number)
