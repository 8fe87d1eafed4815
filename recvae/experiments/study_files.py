"""Study files: makes Optuna's studies, in memory or in a file."""

import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import optuna
from optuna.storages import RDBStorage
from sqlalchemy import NullPool
from sqlalchemy.exc import SQLAlchemyError

from recvae.disk import atomic
from recvae.errors import DataError, difference


def open_study(path: Path, about: Mapping[str, str]) -> optuna.Study:
    """Open the study in a file, a new one if there is no file.

    Raises:
        DataError: the file is of another study, or is none.
        WriteError: it can't be written.
    """
    with atomic.writing_to(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.open("a").close()
    try:
        connect = partial(sqlite3.connect, path)
        storage = RDBStorage("sqlite://", {"creator": connect, "poolclass": NullPool})
        study = new_study(storage=storage, study_name="recvae", load_if_exists=True)
        if "about" not in study.user_attrs:
            study.set_user_attr("about", dict(about))
    except (SQLAlchemyError, RuntimeError) as error:
        raise DataError(
            f"{path} is not a study that can be read: name another file, or remove it."
        ) from error
    if other := difference(study.user_attrs["about"], about):
        raise DataError(
            f"{path} is the study of {other}: its trials can't be compared with new ones. Name "
            "another file."
        )
    return study


def new_study(**options: Any) -> optuna.Study:
    """Make a new study, in which a higher value is better."""
    with _quiet():
        return optuna.create_study(direction="maximize", **options)


@contextmanager
def _quiet() -> Iterator[None]:
    """A context in which Optuna does not log that it made a study."""
    verbosity = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    try:
        yield
    finally:
        optuna.logging.set_verbosity(verbosity)
