"""Sources: reads columns from a file, a DataFrame or a mapping of arrays."""

import shutil
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from os import PathLike
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import IO, Any, TypeAlias

import pandas as pd

from recvae.data.reading.columns import require_columns, require_equal_lengths
from recvae.data.reading.files import is_parquet, read_parquet, read_text
from recvae.errors import DataError, MissingFileError, OptionError

TableSource: TypeAlias = "str | PathLike[str] | pd.DataFrame | Mapping[str, Any]"


def read_columns(
    source: TableSource,
    ids: Collection[str],
    others: Collection[str] = (),
    header: Sequence[str] | None = None,
    *,
    quotes: bool = True,
) -> dict[str, Any]:
    """Read some columns of a table.

    Args:
        source: a path of a CSV, TSV, JSON or Parquet file, of a pipe of one, or of a folder of
            Parquet files, a DataFrame, or a mapping of arrays.
        ids: names of the columns of raw ids. From a text file they come as categoricals: of
            integers if all are written as integers, else of strings ("007" is a string).
        others: names of the columns of numbers and dates.
        header: names of all columns of a text file that has no header.
        quotes: whether " quotes fields of a text file; False if it is a part of the text.

    Raises:
        MissingFileError: there is no such file.
        DataError: a column is missing or no array, or the file is no table.
        OptionError: a header was given for what is no text file.
    """
    if isinstance(source, pd.DataFrame | Mapping):
        _refuse(header)
        require_columns(source, [*ids, *others], "the table")
        columns = {name: source[name] for name in (*ids, *others)}
        require_equal_lengths(columns)
        return columns
    if not isinstance(source, str | PathLike):
        raise DataError(
            f"can't read interactions from {type(source).__name__}: give the path of a file, "
            "a pandas DataFrame or a mapping of arrays."
        )
    path = Path(source).expanduser()
    if not path.exists():
        raise MissingFileError(f"there is no file {path}.")
    with as_file(path) as file:
        if file.is_dir() or is_parquet(file):
            _refuse(header)
            return read_parquet(file, ids, others)
        return read_text(file, ids, others, header, quotes=quotes)


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


def _refuse(header: Sequence[str] | None) -> None:
    if header is not None:
        raise OptionError("columns names those of a text file only: leave it out.")
