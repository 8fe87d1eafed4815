"""Table: the SQL by which DuckDB reads the lines of Parquet files."""

import hashlib
from glob import escape
from itertools import accumulate
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet

from recvae.data.reading.build import to_numbers
from recvae.data.reading.columns import one_clear_error, to_pandas
from recvae.data.reading.parquet import common_types, is_parquet, parquet_files
from recvae.errors import DataError, MissingFileError


def select_lines(path: Path, user: str, item: str, value: str | None) -> str:
    """SQL that selects `user_id` and `item_id` (NULL if missing), `weight` and `position` of lines.

    They are those of a Parquet file, or of a folder of them. Without `value` each weighs one.

    Raises:
        MissingFileError: there is no such file or folder.
        DataError: it is not Parquet, is damaged, lacks a column, or has no lines.
    """
    files = files_of(path)
    types = common_types(files, [user, item, *([] if value is None else [value])])
    with one_clear_error(path):
        names = dict.fromkeys(name for file in files for name in pa.parquet.read_schema(file).names)
        lengths = [pa.parquet.read_metadata(file).num_rows for file in files]
    if not any(lengths):
        raise DataError(f"there are no interactions: {path} has no rows.")
    if value is not None:
        to_numbers(to_pandas(types.empty_table())[value])
    column = {name: f"c{number}" for number, name in enumerate(names)}
    weight = f"TRY_CAST({column[value]}::DOUBLE AS FLOAT)" if value in column else "1::FLOAT"
    return f"""
        SELECT {_id(column[user], types.field(user).type)} AS user_id,
            {_id(column[item], types.field(item).type)} AS item_id,
            {weight} AS weight,
            {[0, *accumulate(lengths)]}[file_index::BIGINT + 1]::BIGINT + file_row_number
                AS position
        FROM read_parquet([{", ".join(map(_quoted, files))}], hive_partitioning = false,
            union_by_name = true)
            AS lines({", ".join(column.values())})
    """


def _id(column: str, kind: pa.DataType) -> str:
    """SQL for a column of ids, with NULL where one is missing."""
    kind = kind.value_type if isinstance(kind, pa.DictionaryType) else kind
    if kind in (pa.binary(), pa.large_binary()):
        return f"nullif(decode({column}), '')"
    if pa.types.is_floating(kind):
        return f"nullif({column}, 'nan')"
    is_text = kind in (pa.string(), pa.large_string(), pa.string_view())
    return f"nullif({column}, '')" if is_text else column


def _quoted(file: Path) -> str:
    """A path as SQL text, in which * and ? have no special meaning."""
    return "'" + escape(str(file)).replace("'", "''") + "'"


def files_of(path: Path) -> list[Path]:
    """The Parquet files of a table, in its order; errors: see `select_lines`."""
    if path.is_dir():
        return parquet_files(path)
    if not path.is_file():
        raise MissingFileError(f"there is no file or folder {path}.")
    if not is_parquet(path):
        raise DataError(f"{path} is not Parquet: write it as Parquet, or read it in one piece.")
    return [path]


def fingerprint(path: Path) -> str:
    """A checksum of the names, sizes and times of a table's files: it changes when they do."""
    digest = hashlib.sha256()
    for file in files_of(path):
        stat = file.stat()
        digest.update(repr((file.name, stat.st_size, stat.st_mtime_ns)).encode())
    return digest.hexdigest()[:16]
