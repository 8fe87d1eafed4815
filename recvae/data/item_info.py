"""What is known of the items or users: tables with a line each, and the labels in their columns."""

from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import scipy.sparse as sp

from recvae.data.ids import require_ids
from recvae.errors import DataError, OptionError, did_you_mean


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


def item_labels(items: pd.DataFrame, column: str) -> sp.csr_matrix:
    """Mark the labels of each item: CSR float32 [items, labels] of ones.

    A value is cut at each |, as in "Comedy|Drama"; an item without a value has no label.

    Raises:
        OptionError: there is no such column.
    """
    require_column(items, column)
    labels, _ = bags(items[column].reset_index(drop=True).astype("string").str.split("|"))
    labels.data[:] = 1
    return labels


def bags(lists: pd.Series, names: pd.Index | None = None) -> tuple[sp.csr_matrix, pd.Index]:
    """Count the tokens in each of some lists, numbered from 0, of which some may be missing.

    Those of `names`, or all that there are but empty ones: CSR float32 [lists, tokens], and the
    tokens.
    """
    tokens = lists.explode().dropna()
    tokens = tokens[tokens != ""]
    names = pd.Index(tokens.unique()) if names is None else names
    codes = names.get_indexer(pd.Index(tokens))
    kept = codes >= 0
    entries = np.ones(kept.sum(), dtype=np.float32), (tokens.index.to_numpy()[kept], codes[kept])
    return sp.csr_matrix(entries, shape=(len(lists), len(names))), names


def require_column(items: pd.DataFrame, column: str) -> None:
    """Raise OptionError if a table of items or users has no such column."""
    if column not in items:
        raise OptionError(
            f"the table has no column {column!r}: "
            + (did_you_mean(column, items.columns) if len(items.columns) else "it has none at all.")
        )


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
