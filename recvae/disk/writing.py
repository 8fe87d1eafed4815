"""Writing: writes a stream of tables to one CSV or Parquet file, whole or not at all."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from os import PathLike
from pathlib import Path
from typing import BinaryIO, TypeAlias

import pandas as pd
import pyarrow as pa
import pyarrow.parquet

from recvae.disk.atomic import draft_for_user
from recvae.errors import OptionError

Write: TypeAlias = Callable[[pd.DataFrame], None]


def write_tables(tables: Iterable[pd.DataFrame], path: str | PathLike[str]) -> None:
    """Write tables one after another, as the row groups of one Parquet file or as one CSV file.

    One table exists at a time. An old file at the path is replaced when all tables are written.

    Args:
        tables: tables with the same columns, at least one.
        path: a path that ends in .csv or .parquet.

    Raises:
        OptionError: the path has another ending.
        WriteError: the file can't be written.
    """
    path = Path(path).expanduser()
    writers = {".csv": _csv, ".parquet": _parquet}
    if path.suffix not in writers:
        raise OptionError(f"{path} must end in .csv or .parquet.")
    writer = writers[path.suffix]
    with draft_for_user(path) as draft, draft.open("wb") as file, writer(file) as write:
        for table in tables:
            write(table)


@contextmanager
def _csv(file: BinaryIO) -> Iterator[Write]:
    yield lambda table: table.to_csv(file, index=False, header=file.tell() == 0)


@contextmanager
def _parquet(file: BinaryIO) -> Iterator[Write]:
    writer: pa.parquet.ParquetWriter | None = None
    schema: pa.Schema | None = None

    def write(table: pd.DataFrame) -> None:
        nonlocal writer, schema
        rows = pa.Table.from_pandas(table, schema or _schema(table), preserve_index=False)
        schema = rows.schema
        writer = writer or pa.parquet.ParquetWriter(file, schema)
        writer.write_table(rows)

    try:
        yield write
    finally:
        if writer is not None:
            writer.close()


def _schema(table: pd.DataFrame) -> pa.Schema:
    """The types of a table's columns; a column of missing values alone is text."""
    schema = pa.Schema.from_pandas(table, preserve_index=False)
    for number, field in enumerate(schema):
        if pa.types.is_null(field.type):
            schema = schema.set(number, field.with_type(pa.string()))
    return schema
