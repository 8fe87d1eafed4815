"""Files: a shard is a Parquet file with a line per user.

The columns are `user`, the raw id, and three lists of equal length: `items` (column numbers),
`weights`, and `positions`, which keep the order of the source. Arrow stores such lists as a CSR
matrix does, and other tools can read them.
"""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet

from recvae.data.ids import require_ids
from recvae.data.interactions import Interactions
from recvae.disk.untrusted import csr_of, read_lists

LISTS: dict[str, pa.DataType] = {
    "items": pa.int32(),
    "weights": pa.float32(),
    "positions": pa.int64(),
}


def write_shard(data: Interactions, path: Path) -> None:
    """Write users, whose positions must be known, to a Parquet file."""
    assert data.positions is not None
    offsets = pa.array(data.matrix.indptr, pa.int32())
    values = (data.matrix.indices, data.matrix.data, data.positions)
    lists = {
        name: pa.ListArray.from_arrays(offsets, pa.array(array, kind))
        for (name, kind), array in zip(LISTS.items(), values, strict=True)
    }
    table = pa.table({"user": ids_as_array(data.user_ids), **lists})
    pa.parquet.write_table(table, path, use_dictionary=False, write_page_checksum=True)


def ids_as_array(ids: pd.Index) -> "pa.Array[Any]":
    """Raw ids as an Arrow array in one piece."""
    array = pa.array(ids, from_pandas=True)
    return array.combine_chunks() if isinstance(array, pa.ChunkedArray) else array


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
