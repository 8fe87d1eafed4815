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
    values = items[column].reset_index(drop=True).dropna().astype(str).str.split("|").explode()
    values = values[values != ""]
    codes, names = pd.factorize(values)
    marks = np.ones(len(codes), dtype=np.float32), (values.index, codes)
    labels = sp.csr_matrix(marks, shape=(len(items), len(names)))
    labels.data[:] = 1
    return labels


def require_column(items: pd.DataFrame, column: str) -> None:
    """Raise OptionError if a table of items has no such column."""
    if column not in items:
        raise OptionError(
            f"the table of items has no column {column!r}: "
            + (did_you_mean(column, items.columns) if len(items.columns) else "it has none at all.")
        )
