"""Study files: makes Optuna's studies, in memory or in a file."""

import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from functools import partial
from os.path import lexists
from pathlib import Path
from typing import Any

import optuna
from optuna.storages import RDBStorage
from optuna.study import StudyDirection
from sqlalchemy import NullPool

from recvae.disk import atomic
from recvae.disk.store import locked
from recvae.disk.untrusted import require_regular
from recvae.errors import DataError, difference


@contextmanager
def opened(path: Path | None, about: Mapping[str, str]) -> Iterator[optuna.Study]:
    """A context with the study in a file, or a new one if there is none; without a path, in memory.

    The file is locked meanwhile. Its `about` must be equal. Errors are those of `tune`.
    """
    if path is None:
        yield new_study()
        return
    busy = DataError(f"another tuning is at work on {path}: wait for it, or name another file.")
    with ExitStack() as lock:
        with atomic.writing_to(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            if lexists(path):
                require_regular(path)
            path.open("a").close()
            lock.enter_context(locked(path.with_name(f".{path.name}.lock"), busy))
        yield _study(path, about)


def _study(path: Path, about: Mapping[str, str]) -> optuna.Study:
    with as_data_error(path):
        connect = partial(sqlite3.connect, path)
        storage = RDBStorage("sqlite://", {"creator": connect, "poolclass": NullPool})
        study = new_study(storage=storage, study_name="recvae", load_if_exists=True)
        if "about" not in study.user_attrs:
            study.set_user_attr("about", dict(about))
        before = dict(study.user_attrs["about"])
        if study.direction is not StudyDirection.MAXIMIZE:
            raise ValueError("it is of what is the better the lower it is")
    if other := difference(before, about):
        raise DataError(
            f"{path} is the study of {other}: its trials can't be compared with new ones. Name "
            "another file."
        )
    return study


@contextmanager
def as_data_error(path: Path | None) -> Iterator[None]:
    """Turn whatever SQLite and Optuna make of a damaged file into one DataError."""
    try:
        yield
    except Exception as error:
        raise DataError(
            f"{path} is not a study that can be read and written ({type(error).__name__}): "
            "name another file, or remove it."
        ) from error


def new_study(**options: Any) -> optuna.Study:
    """Make a new study, in which a higher value is better; Optuna does not log it."""
    verbosity = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    try:
        return optuna.create_study(direction="maximize", **options)
    finally:
        optuna.logging.set_verbosity(verbosity)
