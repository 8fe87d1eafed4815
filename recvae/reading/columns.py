"""Columns: what a table must have."""

from collections.abc import Iterable, Mapping, Sized

from recvae.errors import DataError, did_you_mean


def require_columns(there: Iterable[object], names: Iterable[str], where: str) -> None:
    """Raise DataError unless each of the names is there, and once only."""
    columns = [str(column) for column in there]
    for name in names:
        if name not in columns:
            hint = did_you_mean(name, columns)
            listed = f" Its columns are: {', '.join(columns)}." if hint.startswith("did") else ""
            raise DataError(f"{where} has no column {name!r}: {hint}{listed}")
        if columns.count(name) > 1:
            raise DataError(f"{where} has more than one column {name!r}: rename the others.")


def require_lines(columns: Mapping[str, Sized]) -> None:
    """Raise DataError unless the columns are equally long and have at least one line."""
    lengths = {name: len(column) for name, column in columns.items()}
    if len(set(lengths.values())) > 1:
        listed = ", ".join(f"{name} {length:,}" for name, length in lengths.items())
        raise DataError(f"the columns must be equally long, but their lengths are: {listed}.")
    if 0 in lengths.values():
        raise DataError("there are no interactions: the table has no rows.")
