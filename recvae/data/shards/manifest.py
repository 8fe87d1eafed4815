"""Manifest: what a folder of shards holds, by name and checksum. It is written last."""

from pathlib import Path
from typing import Annotated, Any, Literal

import pandas as pd
import pyarrow.parquet
from pydantic import BaseModel, ConfigDict, StringConstraints, ValidationError

from recvae.disk import atomic
from recvae.errors import DataError, MissingFileError

MANIFEST = "shards.json"


class File(BaseModel):
    """A file beside the manifest, its SHA-256, and how many lines it has."""

    name: Annotated[str, StringConstraints(pattern=r"^(items|shard-\d{5,})\.parquet$")]
    sha256: str
    lines: int


class ShardManifest(BaseModel):
    """What `shards.json` says.

    Attributes:
        about: the table, the columns and the filters that the shards were made from.
        items: a line per item: its raw id, and how many users have it.
        shards: of users in ascending order of their raw ids.
    """

    model_config = ConfigDict(extra="forbid")

    format: Literal[1] = 1
    about: dict[str, Any]
    items: File
    shards: list[File]


def read_manifest(folder: Path) -> ShardManifest:
    """Read a folder's manifest.

    Raises:
        MissingFileError: there is none.
        DataError: it is damaged.
    """
    path = folder / MANIFEST
    if not path.is_file():
        raise MissingFileError(
            f"there are no shards in {folder}: {MANIFEST} is missing. `recvae shard` makes them; "
            "if it was ended early, give the same command again."
        )
    try:
        return ShardManifest.model_validate_json(path.read_bytes())
    except (ValidationError, OSError) as error:
        reason = error.errors()[0]["msg"] if isinstance(error, ValidationError) else error
        raise DataError(f"{path} is damaged ({reason}): make the shards again.") from error


def write_manifest(folder: Path, about: dict[str, Any], items: Path, shards: list[Path]) -> None:
    """Write what is in a folder, which makes shards of it."""
    files = [_described(path) for path in [items, *shards]]
    manifest = ShardManifest(about=about, items=files[0], shards=files[1:])
    atomic.replace(folder / MANIFEST, manifest.model_dump_json(indent=2).encode())


def verified(folder: Path, file: File) -> Path:
    """The path of a file whose content is what it was.

    Raises:
        DataError: it is damaged or can't be read.
    """
    path = folder / file.name
    try:
        digest = atomic.sha256(path)
    except OSError as error:
        raise DataError(f"{path} can't be read ({error.strerror}): {REMEDY}") from error
    if digest != file.sha256:
        raise DataError(f"{path} is damaged (its checksum is not the one in {MANIFEST}): {REMEDY}")
    return path


REMEDY = "restore it from a copy, or make the shards again in another folder."


def n_lines(path: Path) -> int:
    """How many lines a Parquet file has."""
    return int(pyarrow.parquet.read_metadata(path).num_rows)


def _described(path: Path) -> File:
    return File(name=path.name, sha256=atomic.sha256(path), lines=n_lines(path))


def read_items(folder: Path, file: File) -> pd.Series:
    """How many users have each item, indexed by raw item id.

    Raises:
        DataError: the file is damaged.
    """
    path = verified(folder, file)
    try:
        items = pd.read_parquet(path)["users"]
    except (KeyError, ValueError, OSError) as error:
        raise DataError(f"{path} is damaged ({error}): {REMEDY}") from error
    return items.astype("int64")
