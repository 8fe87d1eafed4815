"""Table: Parquet files of interactions, read in chunks of so many lines."""

import hashlib
from dataclasses import dataclass, replace
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet

from recvae.data.reading.files import (
    is_parquet,
    one_clear_error,
    parquet_files,
    parquet_schema,
    require_same_types,
    to_pandas,
)
from recvae.data.reading.tables import drop_not_positive
from recvae.errors import DataError, MissingFileError

Chunk = tuple[tuple[Path, int], ...]
"""Row groups: files and numbers."""


@dataclass(frozen=True)
class Table:
    """Where the lines are, and what is read of them.

    Attributes:
        chunks: the row groups that are read at once, in the order of the table.
        n_lines: how many lines all have.
        user: name of the column of user ids.
        item: name of the column of item ids.
        value: name of the column of weights, if any.
        positive: whether lines with a weight of zero or less are left out.
    """

    chunks: list[Chunk]
    n_lines: int
    user: str
    item: str
    value: str | None
    positive: bool

    def read(self, number: int) -> dict[str, pd.Series]:
        """The columns of a chunk."""
        groups = [self._group(*group) for group in self.chunks[number]]
        columns = to_pandas(pa.concat_tables(groups))
        if self.positive and self.value is not None:
            return drop_not_positive(columns, self.value)
        return columns

    def _group(self, path: Path, number: int) -> pa.Table:
        with one_clear_error(path):
            file = pa.parquet.ParquetFile(path, read_dictionary=[self.item])
            return file.read_row_group(number, columns=self.names)

    @property
    def names(self) -> list[str]:
        """The columns that are read."""
        return [self.user, self.item, *([] if self.value is None else [self.value])]


def find_table(
    path: Path, user: str, item: str, value: str | None, *, positive: bool, lines: int
) -> Table:
    """Find the row groups of a table; those of a chunk have so many lines at most, or are one.

    Raises:
        MissingFileError: there is no such file or folder.
        DataError: it is not Parquet, is damaged, lacks a column, or has no lines.
    """
    table = Table([], 0, user, item, value, positive)
    files = files_of(path)
    require_same_types({file: parquet_schema(file, table.names) for file in files})
    groups = [group for file in files for group in _groups(file)]
    if not groups:
        raise DataError(f"there are no interactions: {path} has no rows.")
    n_lines = sum(length for *_, length in groups)
    return replace(table, chunks=_in_chunks(groups, lines), n_lines=n_lines)


def _in_chunks(groups: list[tuple[Path, int, int]], lines: int) -> list[Chunk]:
    """Join row groups, one after another, to so many lines at most."""
    chunks: list[Chunk] = []
    room = 0
    for file, number, length in groups:
        if length > room:
            chunks.append(())
            room = lines
        chunks[-1] += ((file, number),)
        room -= length
    return chunks


def _groups(path: Path) -> list[tuple[Path, int, int]]:
    """The row groups of a file that have lines: their numbers and lengths."""
    with one_clear_error(path):
        metadata = pa.parquet.read_metadata(path)
        lengths = [metadata.row_group(n).num_rows for n in range(metadata.num_row_groups)]
        return [(path, number, length) for number, length in enumerate(lengths) if length]


def files_of(path: Path) -> list[Path]:
    """The Parquet files of a table, in its order.

    Raises:
        MissingFileError: there is no such file or folder.
        DataError: it is not Parquet.
    """
    if path.is_dir():
        return parquet_files(path)
    if not path.is_file():
        raise MissingFileError(f"there is no file or folder {path}.")
    if not is_parquet(path):
        raise DataError(f"{path} is not Parquet: write it as Parquet, or read it in one piece.")
    return [path]


def fingerprint(path: Path) -> str:
    """Tell the files of a table, by names, sizes and times, from what they were or will be."""
    digest = hashlib.sha256()
    for file in files_of(path):
        stat = file.stat()
        digest.update(repr((file.name, stat.st_size, stat.st_mtime_ns)).encode())
    return digest.hexdigest()[:16]
