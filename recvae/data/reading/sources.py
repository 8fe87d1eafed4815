"""Sources: reads columns from a file, a dataframe or a mapping of arrays."""

import shutil
import sys
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from os import PathLike
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import IO, Any, Protocol, TypeAlias, runtime_checkable

import pandas as pd
import pyarrow as pa

from recvae.data.reading.columns import (
    one_clear_error,
    require_columns,
    require_equal_lengths,
    to_pandas,
    with_texts,
)
from recvae.data.reading.parquet import column_names, is_parquet, read_parquet
from recvae.data.reading.text import first_line, read_text
from recvae.disk.databases import is_address, read_query
from recvae.disk.paths import path_of
from recvae.errors import DataError, MissingFileError, OptionError


@runtime_checkable
class ArrowStream(Protocol):
    """A table that Arrow can read: of Polars, Arrow, DuckDB, and others; pandas' are as well."""

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        """The table as a capsule that holds an Arrow C stream."""


TableSource: TypeAlias = "str | PathLike[str] | pd.DataFrame | Mapping[str, Any] | ArrowStream"


def read_columns(
    source: TableSource,
    ids: Collection[str],
    others: Collection[str] = (),
    header: Sequence[str] | None = None,
    *,
    quotes: bool = True,
    query: str | None = None,
) -> dict[str, Any]:
    """Read some columns of a table, which is a source as `read_interactions` takes it.

    Args:
        source: the table, or a pipe of one.
        ids: names of the columns of raw ids. From a text file they come as categoricals: of
            integers if all are written as integers, else of strings ("007" is a string).
        others: names of the columns of numbers and dates.
        header: names of all columns of a text file that has no header.
        quotes, query: as in `read_interactions`.

    Raises:
        MissingFileError, DataError: there is no such file, or no such table of such columns.
        OptionError: a header was given for what is no text file, or a query for no database.
    """
    names = [*ids, *others]
    if is_address(source) or query is not None:
        source = read_query(*_asked(source, query))
    if isinstance(source, pd.DataFrame | Mapping):
        _refuse(header)
        require_columns(source, names, "the table")
        columns = {name: source[name] for name in names}
        require_equal_lengths(columns)
        return columns
    if isinstance(source, ArrowStream):
        _refuse(header)
        return _read_stream(source, names)
    if not isinstance(source, str | PathLike):
        raise DataError(
            f"can't read interactions from {type(source).__name__}: give the path of a file, "
            "a dataframe (of pandas, Polars, Arrow or DuckDB) or a mapping of arrays."
        )
    path = path_of(source)
    if not path.exists():
        raise MissingFileError(f"there is no file {path}.")
    with as_file(path) as file:
        if file.is_dir() or is_parquet(file):
            _refuse(header)
            return read_parquet(file, names)
        return read_text(file, names, ids, header, quotes=quotes)


def fields_of(file: Path) -> list[str]:
    """The names of a Parquet file's columns, or the fields of the first line of a text file."""
    return column_names(file) if is_parquet(file) else first_line(file)


def like(source: object, table: pd.DataFrame) -> Any:
    """A pandas table as one of the source's package, if that is one that Arrow can read.

    It is made by the package's `from_arrow` (of Polars, DuckDB and others), else it is Arrow's.
    """
    if isinstance(source, pd.DataFrame) or not isinstance(source, ArrowStream):
        return table
    package = sys.modules[type(source).__module__.partition(".")[0]]
    arrow = pa.Table.from_pandas(table, preserve_index=False)
    return getattr(package, "from_arrow", pa.table)(arrow)


def _read_stream(source: ArrowStream, names: list[str]) -> dict[str, pd.Series]:
    """Columns of a stream of batches, of which nothing else is kept."""
    with one_clear_error(f"this {type(source).__name__}"):
        stream = pa.RecordBatchReader.from_stream(source)
        require_columns(stream.schema.names, names, "the table")
        types = pa.schema([stream.schema.field(name) for name in names])
        batches = [batch.select(names) for batch in stream]
        return to_pandas(with_texts(pa.Table.from_batches(batches, types), types))


@contextmanager
def as_file(path: Path, stream: IO[bytes] | None = None) -> Iterator[Path]:
    """A context with what can be read twice: a copy of the stream, or of the path if it is a pipe.

    Raises:
        DataError: as what is within the context raises it, with the path's name for the copy's.
    """
    if stream is None and not path.is_fifo():
        yield path
        return
    with TemporaryDirectory() as folder:
        copy = Path(folder, path.name)
        with nullcontext(stream) if stream else path.open("rb") as source, copy.open("wb") as file:
            shutil.copyfileobj(source, file)
        try:
            yield copy
        except DataError as error:
            raise DataError(str(error).replace(str(copy), str(path))) from None


def _asked(source: TableSource, query: str | None) -> tuple[str, str]:
    """An address and a query; raise OptionError if one of them is missing."""
    if not isinstance(source, str) or not is_address(source):
        raise OptionError("query=... is for a database: give its address: postgresql://...")
    if query is None:
        query = """'SELECT customer AS "user", product AS item FROM ...'"""
        raise OptionError(f"give the query for this database: query={query}.")
    return source, query


def _refuse(header: Sequence[str] | None) -> None:
    if header is not None:
        raise OptionError("columns names those of a text file only: leave it out.")
