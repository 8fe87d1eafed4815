"""Job: a folder that is filled with files; an unfinished job goes on where it was."""

import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from recvae.disk import atomic
from recvae.disk.manifest import DamagedError, DifferentError, MissingError
from recvae.disk.store import LOCK, Store, locked, remove_drafts
from recvae.errors import DataError, RecvaeError


@contextmanager
def job_in(folder: Path, about: dict[str, Any]) -> Iterator[Path]:
    """A context of the work on a folder, with a subfolder for intermediate files.

    The folder is locked. Its `job.json` holds `about`, the facts that decide the results; its
    `_SUCCESS` means that all is done.

    Raises:
        DataError: it has other files, or another job's, or another process is working in it.
        WriteError: the folder can't be made, or written.
    """
    store, work = Store(folder, "job"), folder / ".work"
    busy = DataError(f"another process is at work in {folder}: wait for it.")
    with ExitStack() as lock:
        with atomic.writing_to(folder):
            folder.mkdir(parents=True, exist_ok=True)
            lock.enter_context(locked(folder / LOCK, busy))
            _claim(store, about)
            work.mkdir(exist_ok=True)
            remove_drafts(folder)
        try:
            with atomic.writing_to(folder):
                yield work
        except RecvaeError:
            if not _has_results(folder):
                store.manifest.unlink()  # the same would fail again, so let another be tried
                shutil.rmtree(work)
            raise
        with atomic.writing_to(folder):
            atomic.replace(folder / "_SUCCESS", b"")
        shutil.rmtree(work)


def _claim(store: Store, about: dict[str, Any]) -> None:
    """Raise DataError unless a folder is empty or has the work of this job."""
    folder, another = store.folder, "choose another folder"
    try:
        store.read(about)
    except MissingError:
        if _has_results(folder):
            raise DataError(f"{folder} holds other files: {another}.") from None
        store.commit([], about, {})
    except DamagedError as error:
        raise DataError(f"{store.manifest} is damaged ({error}): {another}.") from None
    except DifferentError as error:
        raise DataError(
            f"{folder} holds the work of a job with {error}: give the same, or {another}."
        ) from None


def _has_results(folder: Path) -> bool:
    return any(folder.glob("*.parquet"))
