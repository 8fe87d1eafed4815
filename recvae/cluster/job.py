"""Job: a folder that is filled with files; an unfinished job goes on where it was."""

import shutil
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Self

from recvae.disk import atomic
from recvae.disk.manifest import DamagedError, DifferentError, MissingError
from recvae.disk.store import LOCK, Store, locked, remove_drafts
from recvae.errors import DataError, RecvaeError

KIND = "job"
WORK = ".work"
SUCCESS = "_SUCCESS"


class Job:
    """The work on a folder; a folder with the results of another job is refused.

    Attributes:
        folder: the folder of the results; it is locked while this is entered as a context. In it,
            `job.json` has the facts about the job, and `_SUCCESS` means that all is done.
        about: facts that decide the results, by name.
        work: a folder in it for intermediate files, which is removed when all is done.
    """

    def __init__(self, folder: Path, about: dict[str, Any]) -> None:
        self.folder, self.work = folder, folder / WORK
        self.about = about
        self._store = Store(folder, KIND)
        self._lock = ExitStack()

    def __enter__(self) -> Self:
        """Lock the folder, and check that it is empty or has the work of this job.

        Raises:
            DataError: it has other files, or another job's, or another process is working in it.
            WriteError: the folder can't be made.
        """
        busy = DataError(f"another process is at work in {self.folder}: wait for it.")
        with atomic.writing_to(self.folder), ExitStack() as lock:
            self.folder.mkdir(parents=True, exist_ok=True)
            lock.enter_context(locked(self.folder / LOCK, busy))
            self._claim()
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
