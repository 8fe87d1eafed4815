"""Storage: a fitted model as a folder of safetensors, Parquet and JSON. Nothing is unpickled.

`model.json` names the other files with their checksums. It is replaced last and in one step, so
that a crash at any moment leaves the old model or the new one, whole.
"""

import re
from collections.abc import Callable, Mapping
from functools import partial
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import pandas as pd
import pyarrow as pa
import torch
from pydantic import BaseModel, ConfigDict, StringConstraints, ValidationError
from safetensors import SafetensorError
from safetensors.torch import load, save_file

import recvae
from recvae import atomic, devices, options
from recvae.errors import MissingFileError, ModelFileError, OptionError, did_you_mean

if TYPE_CHECKING:
    from recvae.models.base import Recommender

MANIFEST = "model.json"
FILE_NAME = r"^(weights|items|users|history)-[0-9a-f]{12}\.(safetensors|parquet)$"


class SavedFile(BaseModel):
    """A file beside the manifest, and its SHA-256."""

    name: Annotated[str, StringConstraints(pattern=FILE_NAME)]
    sha256: str


class Manifest(BaseModel):
    """What `model.json` says."""

    model_config = ConfigDict(extra="forbid")

    format: Literal[1] = 1
    recvae: str
    model: str
    options: dict[str, Any]
    n_users: int
    n_items: int
    fingerprint: str
    files: dict[Literal["weights", "items", "users", "history"], SavedFile]


def save(model: "Recommender", folder: str | PathLike[str]) -> None:
    """Write a fitted model; a model that is there already is replaced in one step.

    Raises:
        ModelFileError: the folder can't be written.
    """
    folder = Path(folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        manifest = Manifest(
            recvae=recvae.__version__,
            model=model.name,
            options=options.values(model),
            n_users=model.n_users_,
            n_items=len(model.items_),
            fingerprint=model.fingerprint_,
            files=_write_files(model, folder),
        )
        atomic.replace(folder / MANIFEST, manifest.model_dump_json(indent=2).encode())
        _remove_others(folder, {file.name for file in manifest.files.values()})
    except pa.ArrowException as error:
        raise ModelFileError(
            f"the table of items can't be saved: {error}. Give each column values of one type."
        ) from error
    except (OSError, SafetensorError) as error:
        raise ModelFileError(
            f"the model can't be saved to {folder}: {getattr(error, 'strerror', None) or error}. "
            "Choose a folder that can be written and has room."
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
    folder = Path(folder)
    manifest = _read_manifest(folder)
    if manifest.model not in classes:
        raise ModelFileError(
            f"{folder} holds a model {manifest.model!r}: {did_you_mean(manifest.model, classes)}"
        )
    devices.resolve(device)
    chosen = dict(manifest.options)
    if "device" in chosen:
        chosen["device"] = device
    try:
        model = options.build(classes[manifest.model], chosen)
        _restore(model, manifest, folder)
    except OptionError as error:
        raise ModelFileError(f"{folder / MANIFEST} is damaged: {error}") from error
    return model


def _write_files(model: "Recommender", folder: Path) -> dict[Any, SavedFile]:
    weights = model._state() | {"item_counts": torch.from_numpy(model.item_counts_)}
    weights = {name: tensor.detach().cpu().contiguous() for name, tensor in weights.items()}
    files = {
        "weights": _write(folder, "weights.safetensors", lambda path: save_file(weights, path)),
        "items": _write(folder, "items.parquet", partial(model.items_.to_parquet, index=True)),
    }
    if model.user_ids_ is not None:
        users = pd.DataFrame(index=model.user_ids_)
        files["users"] = _write(folder, "users.parquet", partial(users.to_parquet, index=True))
    history: pd.DataFrame | None = getattr(model, "history_", None)
    if history is not None:
        files["history"] = _write(folder, "history.parquet", history.to_parquet)
    return files


def _write(folder: Path, name: str, fill: Callable[[Path], object]) -> SavedFile:
    final, digest = atomic.write(folder, name, fill)
    return SavedFile(name=final, sha256=digest)


def _remove_others(folder: Path, kept: set[str]) -> None:
    """Remove what earlier saves, complete or not, left behind."""
    for path in folder.iterdir():
        if path.name not in kept and re.fullmatch(FILE_NAME, path.name):
            path.unlink(missing_ok=True)


def _read_manifest(folder: Path) -> Manifest:
    path = folder / MANIFEST
    if not path.is_file():
        raise MissingFileError(
            f"there is no model in {folder}: {MANIFEST} is missing. Save one with model.save(...)."
        )
    try:
        return Manifest.model_validate_json(path.read_bytes())
    except (ValidationError, OSError) as error:
        reason = error.errors()[0]["msg"] if isinstance(error, ValidationError) else error
        raise ModelFileError(
            f"{path} is damaged or of another version of recvae ({reason}): save the model again."
        ) from error


def _restore(model: "Recommender", manifest: Manifest, folder: Path) -> None:
    damaged = (SafetensorError, RuntimeError, KeyError, ValueError, TypeError, OSError)
    paths = {role: _verified(folder, file) for role, file in manifest.files.items()}
    try:
        state = load(paths["weights"].read_bytes())
        model.items_ = pd.read_parquet(paths["items"])
        model.item_counts_ = state.pop("item_counts").numpy()
        model.n_users_, model.fingerprint_ = manifest.n_users, manifest.fingerprint
        model.user_ids_ = pd.read_parquet(paths["users"]).index if "users" in paths else None
        if "history" in paths:
            model.history_ = pd.read_parquet(paths["history"])  # type: ignore[attr-defined]
        if not len(model.items_) == len(model.item_counts_) == manifest.n_items:
            raise ValueError("the files disagree about the number of items")
        model._restore(state)
    except damaged as error:
        raise ModelFileError(
            f"the model in {folder} is damaged ({error}): restore it from a copy or train again."
        ) from error


def _verified(folder: Path, file: SavedFile) -> Path:
    path = folder / file.name
    try:
        digest = atomic.sha256(path)
    except OSError as error:
        raise ModelFileError(
            f"{path} can't be read ({error.strerror}): restore it from a copy or train again."
        ) from error
    if digest != file.sha256:
        raise ModelFileError(
            f"{path} is damaged (its checksum is not the one in {MANIFEST}): "
            "restore it from a copy or train again."
        )
    return path
