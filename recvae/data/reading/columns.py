"""Columns: what a table must have, and the columns of Arrow's tables as pandas has them."""

from collections.abc import Iterable, Iterator, Mapping, Sized
from contextlib import contextmanager
from typing import Any

import pandas as pd
import pyarrow as pa
from pandas.api.types import is_list_like

from recvae.errors import DataError, did_you_mean, quoted_if_padded

UNBALANCED = 'if " is part of the text, pass quotes=False; else close the quote.'


@contextmanager
def one_clear_error(source: object) -> Iterator[None]:
    """A context in which errors of reading a file, or something else, become one DataError."""
    try:
        yield
    except DataError:
        raise
    except (pa.ArrowException, OSError, ValueError) as error:
        reason = str(error).strip().splitlines()[0].rstrip(".")
        if "straddling" in reason:
            reason = f"a quote is not closed: {UNBALANCED.rstrip('.')}"
        raise DataError(f"{source} can't be read as a table: {reason}.") from None


def to_pandas(table: pa.Table) -> dict[str, pd.Series]:
    """The columns of a table by name."""
    columns = table.unify_dictionaries().to_pandas(date_as_object=False, ignore_metadata=True)
    return {str(name): columns[name] for name in columns}


def with_texts(table: pa.Table, types: pa.Schema) -> pa.Table:
    """A table of these types, but with text for bytes, as which Spark and Impala may write it."""
    return table.cast(pa.schema([(field.name, _as_text(field.type)) for field in types]))


def _as_text(kind: pa.DataType) -> pa.DataType:
    if isinstance(kind, pa.BaseExtensionType):  # databases' own, such as the numeric of PostgreSQL
        kind = kind.storage_type
    of = kind.value_type if isinstance(kind, pa.DictionaryType) else kind
    are_bytes = of in (pa.binary(), pa.large_binary(), pa.binary_view())
    return pa.string() if are_bytes else kind


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
