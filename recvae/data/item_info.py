"""What is known of the items or users, a line each, from tables of any kind."""

from typing import Any

import pandas as pd
import pyarrow as pa

from recvae.data.ids import require_ids
from recvae.errors import DataError


def described(known: pd.DataFrame, table: Any, name: str) -> pd.DataFrame:
    """Add to the lines of items, or users, what a table says of them.

    Raises:
        DataError: this is no table by id, one has more than one line in it, or none has any.
    """
    table = _indexed(table, known.index, name)
    if table.index.has_duplicates:
        twice = table.index[table.index.duplicated()][0]
        raise DataError(f"{name} {twice} has more than one line: index by {name}, one line each.")
    if not known.index.isin(table.index).any():
        raise DataError(
            f"no {name} has a line: the table must be indexed by raw {name} ids such as "
            f"{known.index[0]} ({known.index.dtype}); its index is {table.index.dtype}."
        )
    told = known[known.columns.difference(table.columns, sort=False)].join(table)
    for column in known.columns.intersection(table.columns):
        told[column] = _updated(known[column], table[column])
    return told


def extended(known: pd.DataFrame, table: Any, name: str) -> pd.DataFrame:
    """The lines of items, or users, and an empty line for each other one of a table by id.

    Raises:
        DataError: this is no such table, or ids are integers in one and text in the other.
    """
    table = _indexed(table, known.index, name)
    new = pd.DataFrame(index=table.index.difference(known.index, sort=False))
    lines = pd.concat([known, new])
    lines.index.name = known.index.name
    require_ids(lines.index, name)
    return lines


def _indexed(table: Any, ids: pd.Index, name: str) -> pd.DataFrame:
    """A table indexed by id: its index if that has a name, else its column `item` or `user`."""
    if not isinstance(table, pd.DataFrame) and hasattr(table, "__arrow_c_stream__"):
        table = pa.table(table).to_pandas()
    if not isinstance(table, pd.DataFrame):
        raise DataError(
            f"expected a dataframe with a line per {name}, got {type(table).__name__}: "
            f'make one, such as pd.DataFrame({{"{name}": ids, "title": titles}}).'
        )
    if not table.columns.is_unique:
        raise DataError(f"two columns of the table of {name}s have the same name: rename one.")
    if name in table.columns and table.index.name is None:
        return table.set_index(name)
    only_lines = table.index.identical(pd.RangeIndex(len(table)))
    if only_lines and not ids.equals(pd.RangeIndex(len(ids))):
        raise DataError(
            f"this table of {name}s has only the numbers of its lines as its index: give it the "
            'ids, as in table.set_index("id").'
        )
    return table


def _updated(known: pd.Series, new: pd.Series) -> pd.Series:
    """The lines of `known`, with the values of `new` where it has any."""
    new = new[new.index.isin(known.index)].dropna()
    rest = known[~known.index.isin(new.index)].dropna()
    told = [part for part in (new, rest) if len(part)]
    return pd.concat(told).reindex(known.index) if told else known
