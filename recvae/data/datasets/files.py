"""Files: how MovieLens is written down, and its parsing into tables with uniform column names."""

from collections.abc import Mapping
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import pandas as pd
import pyarrow as pa
from pyarrow import csv

from recvae.errors import DataError, MissingFileError

UNIT_SEPARATOR = "\x1f"


@dataclass(frozen=True)
class TableFile:
    """How one file of a release is written.

    Attributes:
        name: the file's name in the release's folder.
        columns: our name and the type of each column, in the file's order; None for a column
            that is left out.
        separator: what stands between two fields; "," also means that fields may be quoted.
        header: the published names of the columns, if the first line holds them.
        encoding: of the text in it.
    """

    name: str
    columns: Mapping[str, pa.DataType | None]
    separator: str
    header: tuple[str, ...] = ()
    encoding: str = "utf8"


def find_file(folder: Path, file: TableFile) -> Path:
    """The path of one file of a release.

    Raises:
        MissingFileError: it is not there.
    """
    path = folder / file.name
    if not path.is_file():
        raise MissingFileError(
            f"{file.name} is missing in {folder}: delete or move that folder, "
            "and the data set will be fetched and unpacked again."
        )
    return path


def read_table_file(folder: Path, file: TableFile) -> pd.DataFrame:
    """Parse one file of a release.

    Raises:
        MissingFileError: it is not there.
        DataError: it is damaged, cut short, empty, or of another layout.
    """
    path = find_file(folder, file)
    try:
        table = _parse(path, file)
    except (pa.ArrowException, ValueError, KeyError) as error:
        raise damaged(path, str(error)) from None
    _check(path, table)
    # Columns are given up one by one, so that no more than one is held twice.
    return table.to_pandas(split_blocks=True, self_destruct=True)


def _parse(path: Path, file: TableFile) -> pa.Table:
    kept = {name: kind for name, kind in file.columns.items() if kind is not None}
    published = dict(zip(file.columns, file.header or file.columns, strict=True))
    table = csv.read_csv(
        _single_separator(path, file.separator),
        csv.ReadOptions(
            column_names=None if file.header else list(file.columns), encoding=file.encoding
        ),
        csv.ParseOptions(
            delimiter=UNIT_SEPARATOR if len(file.separator) > 1 else file.separator,
            quote_char='"' if file.separator == "," else False,
            newlines_in_values=file.separator == "," and pa.string() in kept.values(),
        ),
        csv.ConvertOptions(
            column_types={published[name]: kind for name, kind in kept.items()},
            include_columns=[published[name] for name in kept],
        ),
    )
    return table.rename_columns(list(kept))


def _single_separator(path: Path, separator: str) -> Path | BytesIO:
    """What Arrow can parse: a separator of one byte."""
    if len(separator) == 1:
        return path
    return BytesIO(path.read_bytes().replace(separator.encode(), UNIT_SEPARATOR.encode()))


def _check(path: Path, table: pa.Table) -> None:
    if table.num_rows == 0:
        raise damaged(path, "it has no rows")
    for name in table.column_names:
        if nulls := table[name].null_count:
            raise damaged(path, f"{nulls:,} values of column {name!r} are missing")


def damaged(path: Path, problem: str) -> DataError:
    """The error to raise for a file of a release that can't be used."""
    return DataError(
        f"{path} is damaged or not as MovieLens publishes it ({problem}): delete the folder "
        f"{path.parent}, and the data set will be fetched and unpacked again."
    )
