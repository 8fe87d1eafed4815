"""Storage: a fitted model as a folder of safetensors, Parquet and JSON. Nothing is unpickled.

`model.json` names the other files with their checksums. It is replaced last and in one step, so
that a crash at any moment leaves the old model or the new one, whole. What is loaded may be a
stranger's: all of it is checked before it is used.
"""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import torch
from filelock import FileLock
from pydantic import ValidationError
from safetensors.torch import load, save_file

import recvae
from recvae.data.interactions import require_ids
from recvae.disk import atomic
from recvae.disk.untrusted import read_table, read_verified
from recvae.engine.states import require_finite
from recvae.errors import DataError, MissingFileError, ModelFileError, OptionError
from recvae.saved import manifest
from recvae.saved.facts import Facts
from recvae.saved.manifest import FILE_NAME, MANIFEST, ModelManifest, SavedFile

LOCK = ".saving"
"""What a process that saves to the folder has locked."""

DRAFT_NAME = r"\.(weights|items|users|history|model)\.[a-z]+\.\d+|\.tmp\w{6}"
"""What a process that was killed while saving leaves behind; `.tmp...` is of safetensors."""


@dataclass(frozen=True, eq=False)
class Saved:
    """A fitted model as plain values.

    Attributes:
        model: the name of its class.
        facts: what it knows of its training.
        state: what it learnt.
        history: its training, a line an epoch; None for a model without epochs.
    """

    model: str
    facts: Facts
    state: dict[str, torch.Tensor]
    history: pd.DataFrame | None


def save(saved: Saved, folder: str | PathLike[str]) -> None:
    """Write a fitted model; a model that is there already is replaced in one step.

    A process that saves to the same folder waits for the one that does so already.

    Raises:
        WriteError: the folder can't be written.
        DataError: the table of items has a column of several types.
    """
    folder = Path(folder).expanduser()
    try:
        with atomic.writing_to(folder):
            folder.mkdir(parents=True, exist_ok=True)
            with FileLock(folder / LOCK):
                files = _write_files(saved, folder)
                manifest.write(_manifest_of(saved, files), folder)
                _remove_others(folder, {file.name for file in files.values()})
    except pa.ArrowException as error:
        raise DataError(
            f"the table of items can't be saved: {error}. Give each column values of one type."
        ) from error


def load_saved(described: ModelManifest, folder: Path) -> Saved:
    """Read what a manifest names, verifying every file: see `one_clear_error`.

    The weights come first: their file says how much there can be of all.
    """
    files = {role: (folder / file.name, file.sha256) for role, file in described.files.items()}
    state = load(read_verified(*files["weights"]))
    counts = _checked_counts(state.pop("item_counts"), described)
    tables = {role: read_table(read_verified(*files[role])) for role in files if role != "weights"}
    _require_vocabulary(tables["items"], "item", described.n_items)
    if "users" in tables:
        _require_vocabulary(tables["users"], "user", described.n_users)
    require_finite(state)
    facts = Facts(
        items=tables["items"],
        item_counts=counts,
        n_users=described.n_users,
        user_ids=tables["users"].index if "users" in tables else None,
        fingerprint=described.fingerprint,
        options=described.options,
        origin=described.origin,
    )
    return Saved(described.model, facts, state, tables.get("history"))


@contextmanager
def one_clear_error(folder: Path) -> Iterator[None]:
    """Turn whatever a parser makes of a folder that may hold anything into one ModelFileError."""
    try:
        yield
    except OptionError as error:
        raise ModelFileError(f"{folder / MANIFEST} is damaged: {error}") from error
    except Exception as error:
        raise ModelFileError(
            f"the model in {folder} is damaged ({error}): restore it from a copy or train again."
        ) from error


def read_manifest(folder: Path) -> ModelManifest:
    """Read what a folder says of its model.

    Raises:
        MissingFileError: there is no model in the folder.
        ModelFileError: it is damaged or of another version.
    """
    try:
        return manifest.read(folder)
    except (FileNotFoundError, NotADirectoryError):
        raise MissingFileError(
            f"there is no model in {folder}: {MANIFEST} is missing. Save one with model.save(...)."
        ) from None
    except (ValueError, OSError, RecursionError) as error:
        reason = error.errors()[0]["msg"] if isinstance(error, ValidationError) else error
        raise ModelFileError(
            f"{folder / MANIFEST} is damaged or of another version of recvae ({reason}): "
            "save the model again."
        ) from error


def _manifest_of(saved: Saved, files: dict[Any, SavedFile]) -> ModelManifest:
    return ModelManifest(
        recvae=recvae.__version__,
        model=saved.model,
        options=saved.facts.options,
        n_users=saved.facts.n_users,
        n_items=len(saved.facts.items),
        fingerprint=saved.facts.fingerprint,
        files=files,
        origin=saved.facts.origin,
    )


def _write_files(saved: Saved, folder: Path) -> dict[Any, SavedFile]:
    facts = saved.facts
    weights = saved.state | {"item_counts": torch.from_numpy(facts.item_counts)}
    weights = {name: tensor.detach().cpu().contiguous() for name, tensor in weights.items()}
    files = {
        "weights": _write(folder, "weights.safetensors", lambda path: save_file(weights, path)),
        "items": _write(folder, "items.parquet", partial(_write_table, facts.items)),
    }
    if facts.user_ids is not None:
        users = pd.DataFrame(index=facts.user_ids)
        files["users"] = _write(folder, "users.parquet", partial(_write_table, users))
    if saved.history is not None:
        files["history"] = _write(folder, "history.parquet", partial(_write_table, saved.history))
    return files


def _write_table(table: pd.DataFrame, path: Path) -> None:
    columns = pa.Table.from_pandas(table, preserve_index=True)
    for field in columns.schema:
        if pa.types.is_nested(field.type):
            raise pa.ArrowTypeError(f"column {field.name!r} holds {field.type}")
    pq.write_table(columns, path)


def _write(folder: Path, name: str, fill: Callable[[Path], object]) -> SavedFile:
    final, digest = atomic.write(folder, name, fill)
    return SavedFile(name=final, sha256=digest)


def _remove_others(folder: Path, kept: set[str]) -> None:
    """Remove what earlier saves, complete or not, left behind."""
    for path in folder.iterdir():
        if path.name not in kept and re.fullmatch(f"{FILE_NAME}|{DRAFT_NAME}", path.name):
            path.unlink(missing_ok=True)


def _checked_counts(counts: torch.Tensor, described: ModelManifest) -> np.ndarray:
    if counts.shape != (described.n_items,) or counts.dtype != torch.int64:
        raise ValueError("the files disagree about the number of items")
    if counts.min() < 0 or counts.max() > described.n_users:
        raise ValueError("an item has been counted more often than there are users")
    return counts.numpy()


def _require_vocabulary(table: pd.DataFrame, name: str, n: int) -> None:
    if len(table) != n:
        raise ValueError(f"the files disagree about the number of {name}s")
    require_ids(table.index, name)
