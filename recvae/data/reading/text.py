"""Text: reads columns of CSV, TSV and JSON files."""

import codecs
import csv
import re
from collections.abc import Callable, Collection, Iterable, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import IO, cast

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.csv
import pyarrow.json

from recvae.data.ids import as_integers
from recvae.data.reading.columns import UNBALANCED, one_clear_error, require_columns, to_pandas
from recvae.disk.untrusted import in_arrow
from recvae.errors import DataError

DELIMITERS = [*",\t;|", "::"]
SEPARATOR = "\x1f"
"""What stands for a delimiter of several characters, since Arrow can parse one only."""
ID: pa.DataType = pa.dictionary(pa.int32(), pa.string())
NUMBER = r"-?[0-9]+(\.[0-9]+)?"
"""Text that can't be the name of a column."""
NULL = ["", r"\N"]
"""Text that means a missing id."""
MISSING = [*NULL, "NA", "N/A", "#N/A", "NaN", "nan", "NULL", "null", "None"]
"""Text that means a missing one in a column of numbers."""
ENCODINGS: tuple[str, ...] = ("utf-8", "cp1252", "latin-1")
"""What text may be written in; the last, in which all bytes are text, is hardly ever meant."""
SNIFFED = 2**16
"""How many bytes of a text file are searched for its header."""
GZIP = b"\x1f\x8b"
OTHER_PACKED = (b"PK\x03\x04", b"\xfd7zXZ\0")
"""The first bytes of .zip and .xz files, which are not read."""


def read_text(
    path: Path,
    names: list[str],
    ids: Collection[str],
    header: Sequence[str] | None,
    *,
    quotes: bool,
) -> dict[str, pd.Series]:
    """Read columns of a text file, some of them of ids.

    Its delimiter, encoding and compression are detected.

    Raises:
        DataError: the file is no table, is damaged, has a quote that swallows other lines, or a
            column is missing.
    """
    with one_clear_error(path):
        encodings, delimiter, first = _sniff(path, set(names))
        if first[0].lstrip().startswith(("{", "[")) and header is None:
            return _read_json(path, names)
        if header is None:
            _require_header(path, first, names)
        else:
            require_columns(header, names, "columns")
        convert = pa.csv.ConvertOptions(
            include_columns=names, column_types=dict.fromkeys(ids, ID), null_values=MISSING
        )
        read = partial(_read_csv, path, encodings, delimiter, header, convert)
        columns = to_pandas(read(quotes=quotes))
        if quotes:
            _require_balanced(path, [columns[name] for name in ids], read)
    return columns | {name: integers_or_text(columns[name]) for name in ids}


def _require_header(path: Path, first: list[str], names: Collection[str]) -> None:
    """Raise DataError unless the first line of a file names all of these columns."""
    try:
        require_columns(first, names, f"{path}, whose first line must name its columns,")
    except DataError as error:
        if not any(re.fullmatch(NUMBER, field.strip()) for field in first):
            raise
        raise DataError(
            f"{error} If that line is data already, name all columns in their order: "
            "columns=['user', 'item', ...]."
        ) from None


def first_line(path: Path) -> list[str]:
    """The fields of the first line of a text file; raise DataError if it is no table."""
    with one_clear_error(path):
        return _sniff(path, set())[2]


def _read_json(path: Path, names: list[str]) -> dict[str, pd.Series]:
    """Columns of a file with a JSON object a line."""
    try:
        with open_text(path) as stream:
            table = pa.json.read_json(stream)
    except pa.ArrowInvalid as error:
        raise DataError(f"{path} can't be read as JSON, an object a line: {error}.") from None
    require_columns(table.column_names, names, str(path))
    return to_pandas(table.select(names))


def _require_balanced(
    path: Path, ids: Iterable[pd.Series], read: "Callable[..., pa.Table]"
) -> None:
    """Raise DataError if a quote that is not closed has made other lines a part of its own.

    It has if ids hold line ends, or if all lines are whole without regard to quotes, and more.
    """
    swallowed = sum(int(column.cat.categories.str.contains("\n").sum()) for column in ids)
    with open_text(path) as stream:
        n_ends = sum(chunk.count(b"\n") for chunk in iter(partial(stream.read, SNIFFED), b""))
    n_lines = len(next(iter(ids)))
    if not swallowed and n_ends > n_lines + 1:
        with suppress(pa.ArrowInvalid):
            swallowed = len(read(quotes=False)) - n_lines
    if swallowed:
        raise DataError(
            f"{path} has lines within the quotes of others ({swallowed:,}): {UNBALANCED}"
        )


def open_text(path: Path, delimiter: str = ",") -> IO[bytes]:
    """Open a text file, unpacked if it is gzipped, and with `SEPARATOR` for a long delimiter."""
    with path.open("rb") as file:
        is_gzip = file.read(len(GZIP)) == GZIP
    stream = pa.input_stream(str(path), compression="gzip" if is_gzip else "detect")
    if len(delimiter) == 1:
        return cast(IO[bytes], stream)
    replaced = stream.read().replace(delimiter.encode(), SEPARATOR.encode())
    return in_arrow(replaced)


def _sniff(path: Path, names: set[str]) -> tuple[tuple[str, ...], str, list[str]]:
    """The encodings that a text file may have, its delimiter, and the fields of its first line.

    The delimiter is the one that finds most of the named columns; if tied, most columns.
    """
    with open_text(path) as stream:
        start = stream.read(SNIFFED)
    if start.startswith(OTHER_PACKED):
        raise DataError(
            f"{path} is packed as .zip or .xz: unpack it, or pack it as .gz; save a workbook "
            "(.xlsx) as CSV."
        )
    encodings = ENCODINGS
    if start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        encodings = ("utf-16",)
        start = start.decode("utf-16", "replace").encode()
    if b"\0" in start:
        raise DataError(
            f"{path} is a binary file: give Parquet, or CSV or TSV as UTF-8; a database by its "
            f"address, such as sqlite:///{path}, and a query."
        )
    first = _decode(next(filter(None, start.splitlines()), b""))
    if not first:
        raise DataError(f"{path} is empty: it needs a line of column names, then the rows.")
    headers = {delimiter: _fields(first, delimiter) for delimiter in DELIMITERS}
    best = max(headers.items(), key=lambda found: (len(names & set(found[1])), len(found[1])))
    return encodings, *best


def _fields(line: str, delimiter: str) -> list[str]:
    if len(delimiter) > 1:
        line, delimiter = line.replace(delimiter, SEPARATOR), SEPARATOR
    return next(csv.reader([line], delimiter=delimiter))


def _decode(line: bytes) -> str:
    try:
        return line.decode("utf-8-sig")
    except UnicodeDecodeError:
        return line.decode("cp1252", "replace")


def _read_csv(
    path: Path,
    encodings: tuple[str, ...],
    delimiter: str,
    header: Sequence[str] | None,
    convert: pa.csv.ConvertOptions,
    *,
    quotes: bool,
) -> pa.Table:
    columns = None if header is None else list(header)
    parse = pa.csv.ParseOptions(
        delimiter=delimiter if len(delimiter) == 1 else SEPARATOR,
        quote_char='"' if quotes else False,
        newlines_in_values=quotes,
    )

    def read(encoding: str) -> pa.Table:
        options = pa.csv.ReadOptions(encoding=encoding, column_names=columns)
        with open_text(path, delimiter) as stream:
            return pa.csv.read_csv(stream, options, parse, convert)

    *others, last = encodings
    for encoding in others:
        try:
            table = read(encoding)
        except ValueError as error:  # pyarrow has none of its own for bytes that are not UTF-8
            if "UTF8" not in str(error) and not isinstance(error, UnicodeDecodeError):
                raise
            continue
        if not any(map(pa.types.is_binary, table.schema.types)):
            return table
    return read(last)


def integers_or_text(ids: pd.Series) -> pd.Series:
    """Make integers of the categories if all that are not missing are whole, else trim them."""
    written = ids.cat.categories.str.strip()
    is_missing = written.isin(MISSING)
    distinct = as_integers(written[~is_missing])
    if distinct is None:
        is_missing = written.isin(NULL)
        distinct = written[~is_missing]
    number = np.full(len(written) + 1, -1)  # the last for the code of missing ids, -1
    number[:-1][~is_missing], distinct = pd.factorize(distinct)
    codes = number[ids.cat.codes.to_numpy()]
    return pd.Series(pd.Categorical.from_codes(codes, categories=distinct), index=ids.index)
