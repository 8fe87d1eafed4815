"""Storage: a fitted model as a folder of safetensors, Parquet and JSON. Nothing is unpickled.

`model.json` names the other files with their checksums. It is replaced last and in one step, so
that a crash at any moment leaves the old model or the new one, whole. What is loaded may be a
stranger's: all of it is checked before it is used.
"""

import re
from collections.abc import Callable, Mapping
from functools import partial
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import torch
from filelock import FileLock
from pydantic import ValidationError
from safetensors.torch import load, save_file

import recvae
from recvae import options
from recvae.data.interactions import require_ids
from recvae.disk import atomic
from recvae.disk.untrusted import read_table, read_verified
from recvae.engine import devices
from recvae.engine.states import require_finite
from recvae.errors import DataError, MissingFileError, ModelFileError, OptionError, did_you_mean
from recvae.saved import manifest
from recvae.saved.manifest import FILE_NAME, MANIFEST, ModelManifest, SavedFile

if TYPE_CHECKING:
    from recvae.models.contract.recommender import Recommender

LOCK = ".saving"
"""What a process that saves to the folder has locked."""

DRAFT_NAME = r"\.(weights|items|users|history|model)\.[a-z]+\.\d+|\.tmp\w{6}"
"""What a process that was killed while saving leaves behind; `.tmp...` is of safetensors."""


def save(model: "Recommender", folder: str | PathLike[str]) -> None:
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
                files = _write_files(model, folder)
                manifest.write(_describe(model, files), folder)
                _remove_others(folder, {file.name for file in files.values()})
    except pa.ArrowException as error:
        raise DataError(
            f"the table of items can't be saved: {error}. Give each column values of one type."
        ) from error


def load_folder(
    folder: str | PathLike[str], classes: Mapping[str, "type[Recommender]"], device: str
) -> "Recommender":
    """Read a saved model, verifying every file.

    Raises:
        MissingFileError: there is no model in the folder.
        ModelFileError: a file is damaged, missing or of another version.
        OptionError: the device is not on this machine.
    """
    folder = Path(folder).expanduser()
    described = read_manifest(folder)
    if described.model not in classes:
        raise ModelFileError(
            f"{folder} holds a model {described.model!r}: {did_you_mean(described.model, classes)}"
        )
    devices.resolve(device)
    chosen = dict(described.options)
    if "device" in chosen:
        chosen["device"] = device
    try:
        model = options.build(classes[described.model], chosen)
        _restore(model, described, folder)
    except OptionError as error:
        raise ModelFileError(f"{folder / MANIFEST} is damaged: {error}") from error
    except Exception as error:  # whatever a parser makes of a file that may hold anything
        raise ModelFileError(
            f"the model in {folder} is damaged ({error}): restore it from a copy or train again."
        ) from error
    return model


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


def _describe(model: "Recommender", files: dict[Any, SavedFile]) -> ModelManifest:
    return ModelManifest(
        recvae=recvae.__version__,
        model=model.name,
        options=model.options_,
        n_users=model.n_users_,
        n_items=len(model.items_),
        fingerprint=model.fingerprint_,
        files=files,
        origin=model.origin_,
    )


def _write_files(model: "Recommender", folder: Path) -> dict[Any, SavedFile]:
    weights = model._state() | {"item_counts": torch.from_numpy(model.item_counts_)}
    weights = {name: tensor.detach().cpu().contiguous() for name, tensor in weights.items()}
    files = {
        "weights": _write(folder, "weights.safetensors", lambda path: save_file(weights, path)),
        "items": _write(folder, "items.parquet", partial(_write_table, model.items_)),
    }
    if model.user_ids_ is not None:
        users = pd.DataFrame(index=model.user_ids_)
        files["users"] = _write(folder, "users.parquet", partial(_write_table, users))
    history: pd.DataFrame | None = getattr(model, "history_", None)
    if history is not None:
        files["history"] = _write(folder, "history.parquet", partial(_write_table, history))
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


def _restore(model: "Recommender", described: ModelManifest, folder: Path) -> None:
    """Fill in a model. The weights come first: their file says how much there can be of all."""
    files = {role: (folder / file.name, file.sha256) for role, file in described.files.items()}
    state = load(read_verified(*files["weights"]))
    model.n_users_, model.fingerprint_ = described.n_users, described.fingerprint
    model.origin_, model.options_ = described.origin, options.values(model)
    model.item_counts_ = _checked_counts(state.pop("item_counts"), described)
    tables = {role: read_table(read_verified(*files[role])) for role in files if role != "weights"}
    model.items_ = tables["items"]
    _require_vocabulary(model.items_, "item", described.n_items)
    model.user_ids_ = None
    if not model.supports_new_users:
        _require_vocabulary(tables["users"], "user", described.n_users)
        model.user_ids_ = tables["users"].index
    if "history" in tables:
        model.history_ = tables["history"]  # type: ignore[attr-defined]
    require_finite(state)
    model._restore(dict(state))
    _require_same_layout(model._state(), state)


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


def _require_same_layout(taken: dict[str, torch.Tensor], given: dict[str, torch.Tensor]) -> None:
    """Whether a model has taken each tensor as it was."""
    layouts = [
        {name: (tensor.shape, tensor.dtype) for name, tensor in state.items()}
        for state in (taken, given)
    ]
    if layouts[0] != layouts[1]:
        raise ValueError("the tensors are not those of such a model")
