"""Files: a folder of shards, which are Parquet files with a line per user.

The columns are `user`, the raw id, and three lists of equal length: `items` (column numbers),
`weights`, and `positions`, which keep the order of the source. Arrow stores such lists as a CSR
matrix does, and other tools can read them. A manifest names the shards and the table of items.
"""

from pathlib import Path
from typing import Annotated, Any, NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet
from annotated_types import Ge
from pydantic import Strict, TypeAdapter

from recvae.data.ids import require_ids
from recvae.data.interactions import Interactions
from recvae.disk.manifest import MissingError
from recvae.disk.store import Store, Stored
from recvae.disk.untrusted import csr_of, read_lists, read_table
from recvae.errors import DataError, MissingFileError

KIND = "shards"
CURE = "restore it from a copy, or make the shards again in another folder."
LISTS: dict[str, pa.DataType] = {
    "items": pa.int32(),
    "weights": pa.float32(),
    "positions": pa.int64(),
}


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
        return saved, shards, _item_counts(saved)
    except MissingError as error:
        raise MissingFileError(
            f"there are no shards in {folder}: {error}. `recvae shard` makes them; if it was ended "
            "early, give the same command again."
        ) from None
    except Exception as error:  # whatever a parser makes of a damaged file
        raise DataError(f"what {folder} says of its shards is damaged ({error}): {CURE}") from error


def write_manifest(folder: Path, about: dict[str, Any], items: Path, shards: list[Path]) -> None:
    """Write the manifest of a folder, which completes its shards."""
    sizes = [pa.parquet.read_metadata(path).num_rows for path in shards]
    shard_list = [Shard(path.stem, size) for path, size in zip(shards, sizes, strict=True)]
    facts = {"shards": shard_list, "min_weight": about.get("min_weight")}
    Store(folder, KIND).commit([path.name for path in (items, *shards)], about, facts)


def write_shard(data: Interactions, path: Path) -> None:
    """Write users, whose positions must be known, to a Parquet file."""
    assert data.positions is not None
    offsets = pa.array(data.matrix.indptr, pa.int32())
    values = (data.matrix.indices, data.matrix.data, data.positions)
    lists = {
        name: pa.ListArray.from_arrays(offsets, pa.array(array, kind))
        for (name, kind), array in zip(LISTS.items(), values, strict=True)
    }
    table = pa.table({"user": pa.array(data.user_ids, from_pandas=True), **lists})
    pa.parquet.write_table(table, path, use_dictionary=False, write_page_checksum=True)


def read_shard(content: bytes, items: pd.DataFrame) -> Interactions:
    """Read what `write_shard` wrote; `items` has a line per column, indexed by raw item id.

    Raises:
        ValueError: the file is damaged, or does not fit the items (a pyarrow.ArrowException is
            one, or an OSError).
    """
    table = read_lists(content)
    users = pd.Index(table["user"].to_pandas(), name="user")
    if len(users):
        require_ids(users, "user")
    columns = {name: _list(table, name) for name in LISTS}
    offsets, indices = columns["items"]
    if any(not np.array_equal(its, offsets) for its, _ in columns.values()):
        raise ValueError("its lists differ in length")
    matrix = csr_of(columns["weights"][1], indices, offsets, (len(users), len(items)))
    positions = columns["positions"][1]
    return Interactions(matrix, pd.DataFrame(index=users), items, positions=positions)


def _list(table: pa.Table, name: str) -> tuple[np.ndarray, np.ndarray]:
    """Offsets and values of a column of lists."""
    column = table[name]
    if column.type.value_type != LISTS[name] or column.null_count:
        raise ValueError(f"its column {name!r} is {column.type}, or has lists missing")
    lists: Any = column.combine_chunks()
    offsets = lists.offsets.to_numpy() if len(lists) else np.zeros(1, dtype=np.int32)
    return offsets - offsets[0], lists.flatten().to_numpy()


def _item_counts(saved: Stored) -> pd.Series:
    """How many users have each item, indexed by raw item id."""
    items = read_table(saved.read("items"))["users"]
    require_ids(items.index, "item")
    if items.dtype != "int64" or items.min() < 0:
        raise ValueError("the users of the items are not counted")
    return items
