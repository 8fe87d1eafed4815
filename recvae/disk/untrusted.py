"""Untrusted: reads files that a stranger may have made, so that they can do no harm."""

from pathlib import Path
from stat import S_ISREG
from typing import IO, Any, cast

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import scipy.sparse as sp

MAX_TABLE_BYTES = 2**31
"""The largest unpacked table, in bytes: a small Parquet file can stand for any number of rows."""


def require_regular(path: Path, max_bytes: int | None = None) -> None:
    """Raise OSError unless the path is a regular file of at most `max_bytes`.

    Links are refused, and pipes and devices, which may have no end.
    """
    status = path.lstat()
    if not S_ISREG(status.st_mode):
        raise OSError(f"{path.name} is no regular file")
    if max_bytes is not None and status.st_size > max_bytes:
        raise OSError(f"{path.name} is longer than {max_bytes:,} bytes")


def read_file(path: Path, max_bytes: int) -> bytes:
    """The content of a file, read once; raise OSError as `require_regular` does."""
    require_regular(path, max_bytes)
    return path.read_bytes()


def read_table(content: bytes) -> pd.DataFrame:
    """A Parquet file's table, without lists in its columns.

    Raises:
        ValueError: it would take more than `MAX_TABLE_BYTES`, or has lists.
        pyarrow.ArrowException: it is damaged.
    """
    _checked(content, lists=False)
    return pd.read_parquet(in_arrow(content))


def require_readable(table: pa.Table) -> None:
    """Raise ValueError if `read_table` would refuse a table for its size, once it is written."""
    _require_modest(8 * table.num_rows * table.num_columns + table.nbytes)


def read_lists(content: bytes) -> pa.Table:
    """A Parquet file's table as Arrow has it, which may have lists; errors: see `read_table`."""
    table = _checked(content, lists=True)
    types = [
        (field.name, field.type.value_type if pa.types.is_dictionary(field.type) else field.type)
        for field in table.schema
    ]
    return table.cast(pa.schema(types))


def csr_of(
    weights: np.ndarray, columns: np.ndarray, offsets: np.ndarray, shape: tuple[int, int]
) -> sp.csr_matrix:
    """A CSR matrix from its three arrays; raise ValueError if they are none of this shape.

    Without these checks scipy would read out of bounds.
    """
    matrix = sp.csr_matrix((weights, columns, offsets), shape=shape)
    matrix.check_format(full_check=True)
    if (matrix.indptr[1:] < matrix.indptr[:-1]).any():  # scipy's differences may overflow
        raise ValueError("the offsets of the rows do not ascend")
    return matrix


def in_arrow(content: bytes) -> IO[bytes]:
    """A file in memory that Arrow owns: its threads may drop one after Python has ended."""
    buffer = pa.allocate_buffer(len(content))
    memoryview(buffer).cast("B")[:] = content
    return cast(IO[bytes], pa.BufferReader(buffer))


def _checked(content: bytes, *, lists: bool) -> pa.Table:
    """Read a table; its claimed size is checked first, and its texts before they are used."""
    with pq.ParquetFile(in_arrow(content), page_checksum_verification=True) as file:
        _require_modest(_declared_bytes(file.metadata))
        columns = [file.schema.column(number) for number in range(len(file.schema))]
        texts = [column.path for column in columns if column.physical_type == "BYTE_ARRAY"]
        if not lists and any(column.max_repetition_level for column in columns):
            raise ValueError("it has lists in its columns, which may be of any length")
    table = pq.read_table(in_arrow(content), read_dictionary=texts, page_checksum_verification=True)
    table.validate(full=True)  # bytes that are no text would come up when they are shown
    _require_modest(sum(_text_bytes(column) for column in table.columns))
    return table


def _declared_bytes(metadata: pq.FileMetaData) -> int:
    """The size that a table claims in its metadata, which is read with care: Arrow can crash."""
    groups = [metadata.row_group(number) for number in range(metadata.num_row_groups)]
    values = metadata.num_rows * metadata.num_columns
    return 8 * values + sum(group.total_byte_size for group in groups)


def _text_bytes(column: "pa.ChunkedArray[Any]") -> int:
    """The total length of a column's texts, which are stored once each so far."""
    chunks: list[Any] = [chunk for chunk in column.chunks if isinstance(chunk, pa.DictionaryArray)]
    lengths = (pc.binary_length(chunk.dictionary).take(chunk.indices) for chunk in chunks)
    return sum(pc.sum(one).as_py() or 0 for one in lengths)


def _require_modest(n_bytes: int) -> None:
    if n_bytes > MAX_TABLE_BYTES:
        raise ValueError(f"a table would take {n_bytes / 2**30:,.1f} GiB unpacked")
