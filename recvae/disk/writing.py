"""Writing: writes a stream of tables to one file or database table, whole or not at all."""

from collections.abc import Iterable, Iterator
from itertools import chain
from os import PathLike
from typing import BinaryIO

import pandas as pd
import pyarrow as pa
import pyarrow.parquet

from recvae.disk import databases
from recvae.disk.atomic import draft_for_user
from recvae.disk.paths import path_of
from recvae.errors import OptionError


def write_tables(tables: Iterable[pd.DataFrame], path: str | PathLike[str]) -> None:
    """Write tables one after another, to one CSV or Parquet file or one table of a database.

    The first table and one other exist at a time. What was there is replaced when all tables are
    written.

    Args:
        tables: tables with the same columns, at least one.
        path: a path that ends in .csv or .parquet, or the address of a table, see
            `databases.write_table`.

    Raises:
        OptionError: the path has another ending, or the address names no table.
        WriteError: the file or the table can't be written.
        MissingPackageError: the driver of the database is not installed.
    """
    if databases.is_address(path):
        databases.write_table(_as_arrow(iter(tables)), str(path))
        return
    path = path_of(path)
    writers = {".csv": _write_csv, ".parquet": _write_parquet}
    if path.suffix not in writers:
        raise OptionError(f"{path} must end in .csv or .parquet.")
    with draft_for_user(path) as draft, draft.open("wb") as file:
        writers[path.suffix](iter(tables), file)


def _write_csv(tables: Iterator[pd.DataFrame], file: BinaryIO) -> None:
    for table in tables:
        table.to_csv(file, index=False, header=file.tell() == 0)


def _write_parquet(tables: Iterator[pd.DataFrame], file: BinaryIO) -> None:
    parts = _as_arrow(tables)
    first = next(parts)
    with pa.parquet.ParquetWriter(file, first.schema) as writer:
        for part in chain([first], parts):
            writer.write_table(part)


def _as_arrow(tables: Iterator[pd.DataFrame]) -> Iterator[pa.Table]:
    """The tables with the types of the first."""
    first = next(tables)
    schema = _schema(first)
    for table in chain([first], tables):
        yield pa.Table.from_pandas(table, schema, preserve_index=False)


def _schema(table: pd.DataFrame) -> pa.Schema:
    """The types of a table's columns; a column of missing values alone is text."""
    schema = pa.Schema.from_pandas(table, preserve_index=False)
    for number, field in enumerate(schema):
        if pa.types.is_null(field.type):
            schema = schema.set(number, field.with_type(pa.string()))
    return schema
