"""Item tables: reads what is known of items, a line per item."""

from os import PathLike
from pathlib import Path

import pandas as pd
import pyarrow as pa

from recvae.data.ids import as_integers
from recvae.data.reading.columns import require_columns
from recvae.data.reading.files import is_parquet
from recvae.errors import DataError, MissingFileError


def read_items(path: str | PathLike[str], item: str = "item") -> pd.DataFrame:
    """Read a table of items for `Interactions.with_items`: a CSV, TSV or Parquet file.

    Args:
        path: the file, whose first line names its columns.
        item: name of the column of item ids, integers or text.

    Returns:
        Its other columns, indexed by item id.

    Raises:
        MissingFileError: there is no such file.
        DataError: the file is no table, or has no such column.
    """
    path = Path(path).expanduser()
    if not path.is_file():
        raise MissingFileError(f"there is no file {path}.")
    try:
        if is_parquet(path):
            table = pd.read_parquet(path).reset_index()
        else:
            table = pd.read_csv(path, dtype={item: "string"}, sep=None, engine="python")
    except (ValueError, pa.ArrowException, pd.errors.ParserError) as error:
        raise DataError(f"{path} is no table of items: {error}.") from None
    require_columns(table, [item], str(path))
    ids = pd.Index(table[item])
    if ids.inferred_type == "string":
        numbers = as_integers(ids)
        ids = ids.astype(object) if numbers is None else numbers
    return table.drop(columns=[item, "index"], errors="ignore").set_axis(ids.rename(item))
