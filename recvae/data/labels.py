"""Labels: what a column of the items' table says of each item, such as its genres."""

import numpy as np
import pandas as pd
import scipy.sparse as sp

from recvae.errors import OptionError, did_you_mean


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
