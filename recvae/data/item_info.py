"""What is known of the items, a line each, from tables of any kind."""

from typing import Any

import pandas as pd
import pyarrow as pa

from recvae.errors import DataError


def indexed_by_item(table: Any, ids: pd.Index) -> pd.DataFrame:
    """A table indexed by item id: by its column `item`, or if its index has a name, by that."""
    if not isinstance(table, pd.DataFrame) and hasattr(table, "__arrow_c_stream__"):
        table = pa.table(table).to_pandas()
    if not isinstance(table, pd.DataFrame):
        raise DataError(
            f"expected a dataframe with a line per item, got {type(table).__name__}: "
            'make one, such as pd.DataFrame({"item": ids, "title": titles}).'
        )
    if not table.columns.is_unique:
        raise DataError("two columns of the table of items have the same name: rename one.")
    if "item" in table.columns and table.index.name is None:
        return table.set_index("item")
    only_lines = table.index.identical(pd.RangeIndex(len(table)))
    if only_lines and not ids.equals(pd.RangeIndex(len(ids))):
        raise DataError(
            "this table of items has only the numbers of its lines as its index: give it the ids, "
            'as in table.set_index("movieId").'
        )
    return table


def described(items: pd.DataFrame, table: pd.DataFrame) -> pd.DataFrame:
    """Add to the lines of items what a table, indexed by item id, says of them.

    Raises:
        DataError: an item has more than one line in the table, or no item has any.
    """
    if table.index.has_duplicates:
        twice = table.index[table.index.duplicated()][0]
        raise DataError(f"item {twice} has more than one line: index by item, one line each.")
    if not items.index.isin(table.index).any():
        raise DataError(
            "no item has a line: the table must be indexed by raw item ids such as "
            f"{items.index[0]} ({items.index.dtype}); its index is {table.index.dtype}."
        )
    kept = items[items.columns.difference(table.columns, sort=False)]
    told = kept.join(table)
    for name in items.columns.intersection(table.columns):
        told[name] = _updated(items[name], table[name])
    return told


def _updated(known: pd.Series, new: pd.Series) -> pd.Series:
    """The lines of `known`, with the values of `new` where it has any."""
    new = new[new.index.isin(known.index)].dropna()
    rest = known[~known.index.isin(new.index)].dropna()
    told = [part for part in (new, rest) if len(part)]
    return pd.concat(told).reindex(known.index) if told else known
