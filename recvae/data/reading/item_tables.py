"""Item tables: reads what is known of items or users, a line for each."""

from os import PathLike
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet

from recvae.data.ids import require_none_missing
from recvae.data.reading.arrow import one_clear_error
from recvae.data.reading.parquet import is_parquet
from recvae.data.reading.sources import as_file, read_columns
from recvae.data.reading.text import NULL, first_line
from recvae.errors import MissingFileError


def read_items(path: str | PathLike[str], item: str = "item") -> pd.DataFrame:
    """Read a table of items for `Interactions.with_items`, or of users for `with_user_info`.

    Args:
        path: a CSV, TSV or Parquet file, whose first line names its columns.
        item: name of the column of the items' or users' ids, integers or text.

    Returns:
        Its other columns, indexed by these ids.

    Raises:
        MissingFileError: there is no such file.
        DataError: the file is no table, or has no such column, or ids are missing.
    """
    path = Path(path).expanduser()
    if path.is_dir() or not path.exists():
        raise MissingFileError(f"there is no file {path}.")
    with as_file(path) as file:
        others = [name for name in dict.fromkeys(_column_names(file)) if name != item]
        table = pd.DataFrame(read_columns(file, [item], others))
    ids = table.pop(item)
    require_none_missing(int(ids.isna().sum()), item)
    return table.replace(NULL, None).set_axis(pd.Index(np.asarray(ids), name=item))


def _column_names(path: Path) -> list[str]:
    if not is_parquet(path):
        return first_line(path)
    with one_clear_error(path):
        return pyarrow.parquet.read_schema(path).names
