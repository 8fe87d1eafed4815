"""Building: turns arrays with one line per interaction into users x items."""

import warnings
from typing import Any, Literal, TypeAlias, get_args

import numpy as np
import pandas as pd
import scipy.sparse as sp

from recvae.data.ids import encode
from recvae.data.interactions import Interactions
from recvae.data.reading.columns import require_lines
from recvae.data.reading.times import to_seconds
from recvae.errors import DataError, OptionError, did_you_mean

Duplicates: TypeAlias = Literal["sum", "max", "last"]


class DuplicateWarning(UserWarning):
    """Some lines are of the same user and item, and nobody said how to merge their values."""


def build_interactions(
    users: Any,
    items: Any,
    values: Any = None,
    timestamps: Any = None,
    *,
    duplicates: Duplicates | None = None,
    signed: bool = False,
) -> Interactions:
    """Build users x items from arrays, one line per interaction.

    Rows and columns are in ascending order of the raw ids. Lines of the same user and item become
    one entry, with the latest of their timestamps and the position of the first of them.

    Args:
        users: raw user ids [n], all integers or all strings.
        items: raw item ids [n], all integers or all strings.
        values: weights [n] > 0; None counts each line as one.
        timestamps: seconds since 1970 [n], or dates, as `to_seconds` takes them.
        duplicates: the weight of lines of the same user and item: their "sum", their "max", or
            the "last" one: the latest by timestamp, and of equal timestamps the last line. None for
            the number of lines, or if there are values for the last one, with a `DuplicateWarning`.
        signed: whether weights of 0 and less are taken: those below 0 make an item disliked, unless
            weights are summed, where they count as 0; entries of 0 are dropped.

    Raises:
        DataError: no lines, lengths that differ, missing ids, weights that are not finite or that
            are (unless `signed`) not above 0, or timestamps that are no dates.
        OptionError: `duplicates` is not one of "sum", "max" and "last".
    """
    merge = way_to_merge(duplicates, weighted=values is not None)
    given = {"users": users, "items": items, "values": values, "timestamps": timestamps}
    require_lines({name: column for name, column in given.items() if column is not None})
    weights = (
        np.ones(len(users), np.float32) if values is None else to_weights(values, signed=signed)
    )
    seconds = None if timestamps is None else to_seconds(timestamps)
    rows, user_ids = encode(users, "user")
    columns, item_ids = encode(items, "item")
    shape = len(user_ids), len(item_ids)

    # Sort the lines by row, then by column; both sorts are stable, so equal lines keep their order.
    order = _counting_argsort(columns, shape[1])
    order = order[_counting_argsort(rows[order], shape[0])]
    rows, columns, weights = rows[order], columns[order], weights[order]
    seconds = None if seconds is None else seconds[order]
    # Lines of the same user and item are now neighbours: a group begins where either changes.
    is_first = np.ones(len(order), dtype=bool)
    is_first[1:] = (rows[1:] != rows[:-1]) | (columns[1:] != columns[:-1])
    if not is_first.all():
        starts = np.flatnonzero(is_first)
        if duplicates is None and values is not None:
            warn_of_duplicates(len(order) - len(starts), len(order))
        weights = _merge(weights, seconds, starts, merge)
        seconds = None if seconds is None else np.maximum.reduceat(seconds, starts)
        rows, columns, order = rows[starts], columns[starts], order[starts]
    disliked = None
    if signed:
        below = weights < 0
        disliked = _csr(below[below], rows[below], columns[below], shape)
        kept = weights > 0
        rows, columns, weights, order = rows[kept], columns[kept], weights[kept], order[kept]
        seconds = None if seconds is None else seconds[kept]

    return Interactions(
        _csr(weights, rows, columns, shape),
        pd.DataFrame(index=user_ids),
        pd.DataFrame(index=item_ids),
        seconds,
        order.astype(np.int64),
        disliked,
    )


def way_to_merge(duplicates: Duplicates | None, *, weighted: bool) -> Duplicates:
    """How lines of the same user and item are merged; raise OptionError if it is unknown."""
    ways = get_args(Duplicates)
    if duplicates is None:
        return "last" if weighted else "sum"
    if duplicates not in ways:
        raise OptionError(
            f"duplicates={duplicates!r} is not possible: {did_you_mean(duplicates, ways)}"
        )
    return duplicates


def warn_of_duplicates(count: int, of: int) -> None:
    """Warn that so many of all lines are of a user and item that another line has as well."""
    warnings.warn(
        f"{count:,} of {of:,} lines are of the same user and item as another: the last of them "
        "counts, as for ratings; pass duplicates='sum' to add up counts.",
        DuplicateWarning,
        stacklevel=4,
    )


def to_weights(values: Any, *, signed: bool = False) -> np.ndarray:
    """Weights as float32.

    Raises:
        DataError: weights that are no numbers, missing, infinite, or unless `signed`, zero or
            negative.
    """
    weights = to_numbers(values)
    n_missing = len(weights) - int(np.isfinite(weights).sum())
    require_weights(n_missing, 0 if signed else int((weights <= 0).sum()))
    return weights


def require_weights(n_not_finite: int, n_not_positive: int) -> None:
    """Raise DataError if so many weights are missing or infinite, or zero or negative."""
    if n_not_finite:
        raise DataError(
            f"{n_not_finite:,} of the values are missing or infinite: drop or repair them."
        )
    if n_not_positive:
        raise DataError(
            f"{n_not_positive:,} of the values are zero or negative: pass min_weight to drop them, "
            "or leave out value=... to count each row as one."
        )


def to_numbers(values: Any) -> np.ndarray:
    """Numbers as float32, NaN where they are missing.

    Raises:
        DataError: values that are no numbers.
    """
    column = pd.Series(values)
    if column.dtype.kind in "mMc":  # times and complex numbers, which NumPy would make floats
        raise DataError(f"the values must be numbers: they are of type {column.dtype}.")
    try:
        with np.errstate(over="ignore"):
            return column.to_numpy(dtype=np.float32, na_value=np.nan)
    except (TypeError, ValueError) as error:
        raise DataError(f"the values must be numbers, such as 3.5 or 1234: {error}.") from None


def _counting_argsort(codes: np.ndarray, n_codes: int) -> np.ndarray:
    """Stable argsort of codes from 0 to n_codes - 1 in linear time, by transposing a matrix."""
    # A matrix with one entry in each row, at the column of its code. Transposed, the rows of equal
    # code stand together, in ascending order.
    n = len(codes)
    one_a_row = sp.csr_matrix((np.ones(n, bool), codes, np.arange(n + 1)), shape=(n, n_codes))
    return one_a_row.tocsc().indices


def _csr(
    values: np.ndarray, rows: np.ndarray, columns: np.ndarray, shape: tuple[int, int]
) -> sp.csr_matrix:
    """A CSR matrix of entries that are in order."""
    indptr = np.concatenate([[0], np.cumsum(np.bincount(rows, minlength=shape[0]))])
    return sp.csr_matrix((values, columns, indptr), shape=shape)


def _merge(
    weights: np.ndarray, seconds: np.ndarray | None, starts: np.ndarray, how: Duplicates
) -> np.ndarray:
    """One weight for each group of lines; groups begin at `starts`, lines in source order."""
    if how == "sum":
        positive = np.maximum(weights, 0)
        return np.add.reduceat(positive, starts, dtype=np.float64).astype(np.float32)
    if how == "max":
        return np.maximum.reduceat(weights, starts)
    # "last": the highest line number among the lines with the latest time of their group.
    lines = np.arange(len(weights))
    if seconds is not None:
        sizes = np.diff(starts, append=len(weights))
        latest = np.repeat(np.maximum.reduceat(seconds, starts), sizes)
        lines[seconds < latest] = -1
    return weights[np.maximum.reduceat(lines, starts)]
