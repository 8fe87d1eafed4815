"""Manifest: lists the shards of a folder and how many users each has. It is written last."""

from pathlib import Path
from typing import Annotated, Any, NamedTuple

import pandas as pd
import pyarrow.parquet
from annotated_types import Ge
from pydantic import Strict, TypeAdapter

from recvae.data.ids import require_ids
from recvae.disk.manifest import MissingError
from recvae.disk.store import Store, Stored
from recvae.disk.untrusted import read_table
from recvae.errors import DataError, MissingFileError

KIND = "shards"
CURE = "restore it from a copy, or make the shards again in another folder."


class Shard(NamedTuple):
    """The name of a shard, and how many users it has."""

    name: str
    n_users: Annotated[int, Strict(), Ge(0)]


def read_manifest(folder: Path) -> tuple[Stored, tuple[Shard, ...], pd.Series]:
    """Read a folder of shards: its files, the shards among them, how many users have each item.

    Raises:
        MissingFileError: the folder has no shards.
        DataError: the folder is damaged.
    """
    try:
        saved = Store(folder, KIND).read()
        shards = TypeAdapter(tuple[Shard, ...]).validate_python(saved.facts["shards"])
        if not all(shard.name in saved.files for shard in shards):
            raise ValueError("it names no file of a shard")
        return saved, shards, _items(saved)
    except MissingError as error:
        raise MissingFileError(
            f"there are no shards in {folder}: {error}. `recvae shard` makes them; if it was ended "
            "early, give the same command again."
        ) from None
    except Exception as error:  # whatever a parser makes of a damaged file
        raise DataError(f"what {folder} says of its shards is damaged ({error}): {CURE}") from error


def write_manifest(folder: Path, about: dict[str, Any], items: Path, shards: list[Path]) -> None:
    """Write the manifest of a folder, which completes its shards."""
    shard_list = [Shard(path.stem, n_lines(path)) for path in shards]
    facts = {"shards": shard_list, "min_weight": about.get("min_weight")}
    Store(folder, KIND).commit([path.name for path in (items, *shards)], about, facts)


def n_lines(path: Path) -> int:
    """How many lines a Parquet file has."""
    return int(pyarrow.parquet.read_metadata(path).num_rows)


def _items(saved: Stored) -> pd.Series:
    """How many users have each item, indexed by raw item id."""
    items = read_table(saved.read("items"))["users"]
    require_ids(items.index, "item")
    if items.dtype != "int64" or items.min() < 0:
        raise ValueError("the users of the items are not counted")
    return items
