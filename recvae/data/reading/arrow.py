"""Arrow: its tables as pandas columns, with text for bytes, and its errors as one."""

from collections.abc import Iterator
from contextlib import contextmanager

import pandas as pd
import pyarrow as pa

from recvae.errors import DataError

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
    are_bytes = (pa.types.is_binary, pa.types.is_large_binary, pa.types.is_binary_view)
    return pa.string() if any(one(of) for one in are_bytes) else kind
