"""Parquet: reads columns of a Parquet file, or of a folder of them."""

from collections.abc import Collection, Sequence
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet

from recvae.data.reading.columns import one_clear_error, require_columns, to_pandas, with_texts
from recvae.errors import DataError


def is_parquet(path: Path) -> bool:
    """Whether a file is Parquet, whatever its name."""
    with path.open("rb") as file:
        return file.read(4) == b"PAR1"


def column_names(path: Path) -> list[str]:
    """The names of a Parquet file's columns; raise DataError if it is damaged."""
    with one_clear_error(path):
        return pa.parquet.read_schema(path).names


def parquet_files(folder: Path) -> list[Path]:
    """The Parquet files in a folder and its subfolders, in the order of their paths.

    Files without lines are skipped if others have lines: an empty column may be of any type.
    Raise DataError if there are none, or one is damaged.
    """
    found = sorted(folder.rglob("*.parquet"))
    files = [path for path in found if not path.name.startswith(("_", "."))]
    if not files:
        raise DataError(f"there are no Parquet files in {folder}: their names end in .parquet.")
    return [path for path in files if _has_lines(path)] or files


def _has_lines(path: Path) -> bool:
    with one_clear_error(path):
        return bool(pa.parquet.read_metadata(path).num_rows)


def read_parquet(path: Path, names: list[str]) -> dict[str, pd.Series]:
    """Read columns of a Parquet file, or of a folder of them, with the types of the file.

    Raises:
        DataError: a file is damaged or of other types than the first, or a column is missing.
    """
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
    common = first = _types(files[0], names)
    for path in files[1:]:
        types = _types(path, names)
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


def _listed(schema: pa.Schema) -> str:
    return ", ".join(f"{field.name} {field.type}" for field in schema)
