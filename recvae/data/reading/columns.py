"""Columns: checks that a table has the columns it must have."""

from collections.abc import Iterable, Mapping, Sized
from typing import Any

from pandas.api.types import is_list_like

from recvae.errors import DataError, did_you_mean, quoted_if_padded


def require_columns(there: Iterable[object], names: Iterable[object], where: str) -> None:
    """Raise DataError unless each of the names is there exactly once."""
    columns, names = list(there), list(names)
    for name in names:
        if names.count(name) > 1:
            raise DataError(f"column {name!r} is named for two purposes: each needs its own.")
        if name not in columns:
            hint = did_you_mean(name, columns)
            known = ", ".join(quoted_if_padded(str(column)) for column in columns)
            listed = f" Its columns are: {known}." if hint.startswith("did") else ""
            raise DataError(f"{where} has no column {name!r}: {hint}{listed}")
        if columns.count(name) > 1:
            raise DataError(f"{where} has more than one column {name!r}: rename the others.")


def require_lines(columns: Mapping[str, Sized]) -> None:
    """Raise DataError unless the columns are equally long and have at least one line."""
    require_equal_lengths(columns)
    if 0 in map(len, columns.values()):
        raise DataError("there are no interactions: the table has no rows.")


def require_equal_lengths(columns: Mapping[str, Any]) -> None:
    """Raise DataError unless the columns are arrays or lists of one length."""
    for name, column in columns.items():
        if not (is_list_like(column, allow_sets=False) and isinstance(column, Sized)):
            raise DataError(
                f"column {name!r} must be an array or a list of a value per line, "
                f"not {type(column).__name__}."
            )
    lengths = {name: len(column) for name, column in columns.items()}
    if len(set(lengths.values())) > 1:
        listed = ", ".join(f"{name} {length:,}" for name, length in lengths.items())
        raise DataError(f"the columns must be equally long, but their lengths are: {listed}.")
