"""Writing: writes a stream of tables to one CSV or Parquet file, whole or not at all."""

from collections.abc import Iterable, Iterator
from itertools import chain
from os import PathLike
from pathlib import Path
from typing import BinaryIO

import pandas as pd
import pyarrow as pa
import pyarrow.parquet

from recvae.disk.atomic import draft_for_user
from recvae.errors import OptionError


def write_tables(tables: Iterable[pd.DataFrame], path: str | PathLike[str]) -> None:
    """Write tables one after another, as the row groups of one Parquet file or as one CSV file.

    The first table and one other exist at a time. An old file at the path is replaced when all
    tables are written.

    Args:
        tables: tables with the same columns, at least one.
        path: a path that ends in .csv or .parquet.

    Raises:
        OptionError: the path has another ending.
        WriteError: the file can't be written.
    """
    path = Path(path).expanduser()
    writers = {".csv": _write_csv, ".parquet": _write_parquet}
    if path.suffix not in writers:
        raise OptionError(f"{path} must end in .csv or .parquet.")
    with draft_for_user(path) as draft, draft.open("wb") as file:
        writers[path.suffix](iter(tables), file)


def _write_csv(tables: Iterator[pd.DataFrame], file: BinaryIO) -> None:
    for table in tables:
        table.to_csv(file, index=False, header=file.tell() == 0)


def _write_parquet(tables: Iterator[pd.DataFrame], file: BinaryIO) -> None:
    first = next(tables)
    schema = pa.Table.from_pandas(first, _schema(first), preserve_index=False).schema
    with pa.parquet.ParquetWriter(file, schema) as writer:
        for table in chain([first], tables):
            writer.write_table(pa.Table.from_pandas(table, schema, preserve_index=False))


def _schema(table: pd.DataFrame) -> pa.Schema:
    """The types of a table's columns; a column of missing values alone is text."""
    schema = pa.Schema.from_pandas(table, preserve_index=False)
    for number, field in enumerate(schema):
        if pa.types.is_null(field.type):
            schema = schema.set(number, field.with_type(pa.string()))
    return schema
