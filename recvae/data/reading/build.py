"""Building: turns arrays with one line per interaction into users x items."""

import warnings
from typing import Any, Literal, NamedTuple, TypeAlias, get_args

import numpy as np
import pandas as pd
import scipy.sparse as sp

from recvae.data.ids import encode
from recvae.data.interactions import Interactions
from recvae.data.reading.columns import require_equal_lengths
from recvae.data.reading.times import to_seconds
from recvae.errors import DataError, OptionError, did_you_mean

Duplicates: TypeAlias = Literal["sum", "max", "last"]


class Lines(NamedTuple):
    """Lines of a table: arrays [n] of rows, columns, weights, times if known, and line numbers."""

    rows: np.ndarray
    columns: np.ndarray
    weights: np.ndarray
    seconds: np.ndarray | None
    positions: np.ndarray

    def take(self, chosen: np.ndarray) -> "Lines":
        """Some of the lines, by their numbers or by a mask."""
        return Lines._make(None if part is None else part[chosen] for part in self)


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
        users, items: raw ids [n] each, all integers or all strings.
        values: weights [n] > 0; None counts each line as one.
        timestamps: seconds since 1970 [n], or dates, as `to_seconds` takes them.
        duplicates: the weight of lines of the same user and item: see `read_interactions`.
        signed: whether weights of 0 and less are taken: those below 0 make an item disliked, unless
            weights are summed, where they count as 0; entries of 0 are dropped.

    Raises:
        DataError: no lines, lengths that differ, missing ids, weights that are not finite or that
            are (unless `signed`) not above 0, or timestamps that are no dates.
        OptionError: `duplicates` is unknown.
    """
    given = {"users": users, "items": items, "values": values, "timestamps": timestamps}
    require_equal_lengths({name: column for name, column in given.items() if column is not None})
    if not len(users):
        raise DataError("there are no interactions: the table has no rows.")
    weights = None if values is None else to_weights(values, signed=signed)
    seconds = None if timestamps is None else to_seconds(timestamps)
    rows, user_ids = encode(users, "user")
    columns, item_ids = encode(items, "item")
    lines = in_order(rows, columns, weights, seconds, (len(user_ids), len(item_ids)))
    del rows, columns, weights, seconds  # they take as much memory as the lines
    return merge_lines(
        lines,
        user_ids,
        item_ids,
        weighted=values is not None,
        duplicates=duplicates,
        signed=signed,
    )


def in_order(
    rows: np.ndarray,
    columns: np.ndarray,
    weights: np.ndarray | None,
    seconds: np.ndarray | None,
    shape: tuple[int, int],
) -> Lines:
    """Lines [n] by row, then by column, else as they were; without weights each counts as one."""
    # Both sorts are stable, so that lines of one row and column keep their order.
    order = _counting_argsort(columns, shape[1])
    order = order[_counting_argsort(rows[order], shape[0])]
    values = np.ones(len(rows), np.float32) if weights is None else weights
    numbers = np.arange(len(rows), dtype=order.dtype)
    return Lines(rows, columns, values, seconds, numbers).take(order)


def merge_lines(
    lines: Lines,
    user_ids: pd.Index,
    item_ids: pd.Index,
    *,
    weighted: bool,
    duplicates: Duplicates | None,
    signed: bool,
) -> Interactions:
    """Make users x items of lines that are `in_order`, else as `build_interactions`."""
    merge = way_to_merge(duplicates, weighted=weighted)
    n_lines, shape, disliked = len(lines.rows), (len(user_ids), len(item_ids)), None
    lines = _merged(lines, merge)
    if duplicates is None and weighted and len(lines.rows) < n_lines:
        warn_of_duplicates(n_lines - len(lines.rows), n_lines, stacklevel=5)
    if signed:
        disliked = _csr(lines.take(lines.weights < 0), shape)
        lines = lines.take(lines.weights > 0)
    return Interactions(
        _csr(lines, shape),
        pd.DataFrame(index=user_ids),
        pd.DataFrame(index=item_ids),
        lines.seconds,
        lines.positions.astype(np.int64),
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


def warn_of_duplicates(count: int, of: int, *, stacklevel: int) -> None:
    """Warn that so many of all lines are of a user and item that another line has as well."""
    warnings.warn(
        f"{count:,} of {of:,} lines are of the same user and item as another: the last of them "
        "counts, as for ratings; pass duplicates='sum' to add up counts.",
        DuplicateWarning,
        stacklevel=stacklevel,
    )


def to_weights(values: Any, *, signed: bool = False) -> np.ndarray:
    """Weights as float32; raise DataError unless they are finite, and above 0 or `signed`."""
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
    """Numbers as float32, NaN where they are missing; raise DataError for what is no number."""
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


def _csr(lines: Lines, shape: tuple[int, int]) -> sp.csr_matrix:
    """A CSR matrix of lines that are in order, one for each cell."""
    indptr = np.concatenate([[0], np.cumsum(np.bincount(lines.rows, minlength=shape[0]))])
    return sp.csr_matrix((lines.weights, lines.columns, indptr), shape=shape)


def _merged(lines: Lines, how: Duplicates) -> Lines:
    """One line, at the place of the first and with the latest time, for those of one cell."""
    # Lines of the same user and item are neighbours: a group begins where either changes.
    rows, columns, is_first = lines.rows, lines.columns, np.ones(len(lines.rows), dtype=bool)
    is_first[1:] = (rows[1:] != rows[:-1]) | (columns[1:] != columns[:-1])
    if is_first.all():
        return lines
    starts, seconds = np.flatnonzero(is_first), lines.seconds
    return lines.take(starts)._replace(
        weights=_merged_weights(lines, starts, how),
        seconds=None if seconds is None else np.maximum.reduceat(seconds, starts),
    )


def _merged_weights(lines: Lines, starts: np.ndarray, how: Duplicates) -> np.ndarray:
    """One weight for each group of lines; groups begin at `starts`, lines in source order."""
    weights, seconds = lines.weights, lines.seconds
    if how == "sum":
        positive = np.maximum(weights, 0)
        return np.add.reduceat(positive, starts, dtype=np.float64).astype(np.float32)
    if how == "max":
        return np.maximum.reduceat(weights, starts)
    # "last": the highest line number among the lines with the latest time of their group.
    numbers = np.arange(len(weights))
    if seconds is not None:
        sizes = np.diff(starts, append=len(weights))
        latest = np.repeat(np.maximum.reduceat(seconds, starts), sizes)
        numbers[seconds < latest] = -1
    return weights[np.maximum.reduceat(numbers, starts)]
