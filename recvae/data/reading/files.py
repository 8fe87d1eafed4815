"""Files: reads columns of CSV, TSV, JSON and Parquet files."""

import codecs
import csv
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import IO, cast

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.csv
import pyarrow.json
import pyarrow.parquet

from recvae.data.ids import as_integers
from recvae.data.reading.columns import require_columns
from recvae.disk.untrusted import in_arrow
from recvae.errors import DataError

DELIMITERS = [*",\t;|", "::"]
SEPARATOR = "\x1f"
"""What stands for a delimiter of several characters, since Arrow can parse one only."""
UNBALANCED = 'if " is part of the text, pass quotes=False; else close the quote.'
ID: pa.DataType = pa.dictionary(pa.int32(), pa.string())
NUMBER = r"-?[0-9]+(\.[0-9]+)?"
"""Text that can't be the name of a column."""
NULL = ["", r"\N"]
"""Text that means a missing id."""
MISSING = [*NULL, "NA", "N/A", "NaN", "nan", "NULL", "null", "None"]
"""Text that means a missing id in a column of integers."""
SNIFFED = 2**16
"""How many bytes of a text file are searched for its header."""
GZIP = b"\x1f\x8b"
OTHER_PACKED = (b"PK\x03\x04", b"\xfd7zXZ\0")
"""The first bytes of .zip and .xz files, which are not read."""


def is_parquet(path: Path) -> bool:
    """Whether a file is Parquet, whatever its name."""
    with path.open("rb") as file:
        return file.read(4) == b"PAR1"


def parquet_files(folder: Path) -> list[Path]:
    """The Parquet files in a folder and its subfolders, in the order of their paths.

    Files without lines are skipped if others have lines: an empty column may be of any type.

    Raises:
        DataError: there are none, or one is damaged.
    """
    found = sorted(folder.rglob("*.parquet"))
    files = [path for path in found if not path.name.startswith(("_", "."))]
    if not files:
        raise DataError(f"there are no Parquet files in {folder}: their names end in .parquet.")
    return [path for path in files if _has_lines(path)] or files


def _has_lines(path: Path) -> bool:
    with one_clear_error(path):
        return bool(pa.parquet.read_metadata(path).num_rows)


def read_parquet(path: Path, ids: Collection[str], others: Collection[str]) -> dict[str, pd.Series]:
    """Read columns of a Parquet file, or of a folder of them, with the types of the file.

    Raises:
        DataError: a file is damaged or of other types than the first, or a column is missing.
    """
    names = [*ids, *others]
    files = parquet_files(path) if path.is_dir() else [path]
    types = common_types(files, names)
    with one_clear_error(path):
        parts = [pa.parquet.read_table(file, columns=names, partitioning=None) for file in files]
        return to_pandas(pa.concat_tables(with_texts(part, types) for part in parts))


def common_types(files: Sequence[Path], names: Collection[str]) -> pa.Schema:
    """Types of the named columns that hold those of all Parquet files, where they differ in width.

    Raises:
        DataError: there are none, a file is damaged, or a column is missing.
    """
    first, *others = (_types(path, names) for path in files)
    common = first
    for path, types in zip(files[1:], others, strict=True):
        try:
            common = pa.unify_schemas([common, types], promote_options="permissive")
        except pa.ArrowException:
            raise DataError(
                f"{path} has other types than {files[0]}: {_listed(types)}, and not "
                f"{_listed(first)}: write all files with the same."
            ) from None
    return common


def _types(path: Path, names: Collection[str]) -> pa.Schema:
    with one_clear_error(path):
        schema = pa.parquet.read_schema(path)
        require_columns(schema.names, names, str(path))
        return pa.schema([(name, schema.field(name).type) for name in names])


def with_texts(table: pa.Table, types: pa.Schema) -> pa.Table:
    """A table of these types, but with text for bytes, as which Spark and Impala may write it."""
    return table.cast(pa.schema([(field.name, _as_text(field.type)) for field in types]))


def _as_text(kind: pa.DataType) -> pa.DataType:
    if isinstance(kind, pa.BaseExtensionType):  # databases' own, such as the numeric of PostgreSQL
        kind = kind.storage_type
    are_bytes = (pa.types.is_binary, pa.types.is_large_binary, pa.types.is_binary_view)
    return pa.string() if any(one(kind) for one in are_bytes) else kind


def _listed(schema: pa.Schema) -> str:
    return ", ".join(f"{field.name} {field.type}" for field in schema)


def read_text(
    path: Path,
    ids: Collection[str],
    others: Collection[str],
    header: Sequence[str] | None = None,
    *,
    quotes: bool = True,
) -> dict[str, pd.Series]:
    """Read columns of a text file; its delimiter, encoding and compression are detected.

    Raises:
        DataError: the file is no table, is damaged, has a quote that swallows other lines, or a
            column is missing.
    """
    names = [*ids, *others]
    with one_clear_error(path):
        encodings, delimiter, first = _sniff(path, set(names))
        if first[0].lstrip().startswith(("{", "[")) and header is None:
            return _read_json(path, names)
        if header is None:
            _require_header(path, first, names)
        else:
            require_columns(header, names, "columns")
        types = dict.fromkeys(ids, ID)
        read = partial(_read_csv, path, encodings, delimiter, names, types, header)
        columns = to_pandas(read(quotes=quotes))
        if quotes:
            _require_balanced(path, [columns[name] for name in ids], read)
    return columns | {name: integers_or_text(columns[name]) for name in ids}


@contextmanager
def one_clear_error(source: object) -> Iterator[None]:
    """A context in which errors of reading a file, or something else, become one DataError."""
    try:
        yield
    except DataError:
        raise
    except (pa.ArrowException, OSError, ValueError) as error:
        reason = str(error).strip().splitlines()[0].rstrip(".")
        if "straddling" in reason:
            reason = f"a quote is not closed: {UNBALANCED.rstrip('.')}"
        raise DataError(f"{source} can't be read as a table: {reason}.") from None


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
    """The fields of the first line of a text file.

    Raises:
        DataError: the file is no table, or is damaged.
    """
    with one_clear_error(path):
        return _sniff(path, set())[2]


def column_names(path: Path) -> list[str]:
    """The names of the columns of a Parquet file, or of a text file with a header.

    Raises:
        DataError: the file is no table, or is damaged.
    """
    with one_clear_error(path):
        return pa.parquet.read_schema(path).names if is_parquet(path) else first_line(path)


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
        raise DataError(f"{path} is packed as .zip or .xz: unpack it, or pack it as .gz.")
    encodings: tuple[str, ...] = ("utf-8", "latin-1")
    if start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        encodings = ("utf-16",)
        start = start.decode("utf-16", "replace").encode()
    if b"\0" in start:
        raise DataError(f"{path} is a binary file: give Parquet, or CSV or TSV as UTF-8.")
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
        return line.decode("latin-1")


def _read_csv(
    path: Path,
    encodings: tuple[str, ...],
    delimiter: str,
    names: list[str],
    types: dict[str, pa.DataType],
    header: Sequence[str] | None,
    *,
    quotes: bool,
) -> pa.Table:
    def read(encoding: str) -> pa.Table:
        with open_text(path, delimiter) as stream:
            return pa.csv.read_csv(
                stream,
                pa.csv.ReadOptions(
                    encoding=encoding, column_names=None if header is None else list(header)
                ),
                pa.csv.ParseOptions(
                    delimiter=delimiter if len(delimiter) == 1 else SEPARATOR,
                    quote_char='"' if quotes else False,
                    newlines_in_values=quotes,
                ),
                pa.csv.ConvertOptions(include_columns=names, column_types=types),
            )

    first, *others = encodings
    try:
        table = read(first)
        is_text = not any(map(pa.types.is_binary, table.schema.types))
    except ValueError as error:  # pyarrow has no error of its own for bytes that are not UTF-8
        if not others or ("UTF8" not in str(error) and not isinstance(error, UnicodeDecodeError)):
            raise
        is_text = False
    return table if is_text else read(*others)


def to_pandas(table: pa.Table) -> dict[str, pd.Series]:
    """The columns of a table by name."""
    columns = table.unify_dictionaries().to_pandas(date_as_object=False, ignore_metadata=True)
    return {str(name): columns[name] for name in columns}


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
