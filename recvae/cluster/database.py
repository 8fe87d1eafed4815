"""Database: opens DuckDB on a file in a folder, so that a job can go on where it was."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from math import inf
from pathlib import Path
from typing import Any

import duckdb

from recvae.disk import atomic
from recvae.errors import DataError, OptionError, WriteError

PER_THREAD = 0.4
"""The least gigabytes for each thread: with less, DuckDB can't count many different ids."""


@contextmanager
def database_in(folder: Path, memory: float | None) -> Iterator[duckdb.DuckDBPyConnection]:
    """A context with a connection to a folder's database; a table is in it whole or not at all.

    Data that do not fit into `memory`, in gigabytes (None: four fifths of the machine's), are
    spilled into the folder.

    Raises:
        OptionError: the memory is too little.
        WriteError: the disk is full.
        DataError: the files that are read are damaged, or values are no numbers.
    """
    options = _options(folder, memory)
    path = folder / "tables.duckdb"
    try:
        if not path.exists():
            with atomic.draft_of(path) as draft:  # a kill would leave half a header
                duckdb.connect(draft).close()
        with duckdb.connect(path, config=options) as database:
            yield database
    except duckdb.OutOfMemoryException:
        given = memory or "four fifths of this machine's"
        raise OptionError(f"memory={given} is too little for this table: give more.") from None
    except duckdb.ConversionException as error:
        raise DataError(f"the values must be numbers: {_reason(error)}.") from None
    except duckdb.IOException as error:
        raise WriteError(f"{_reason(error)}: see that {folder} has room.") from None
    except duckdb.Error as error:
        raise DataError(f"the table can't be read: {_reason(error)}.") from None


def _options(folder: Path, memory: float | None) -> dict[str, Any]:
    options: dict[str, Any] = {
        "temp_directory": str(folder / "spilled"),
        "preserve_insertion_order": False,  # each query that needs an order names it
        "autoinstall_known_extensions": False,
        "autoload_known_extensions": False,
    }
    if memory is not None:
        if not 0 < memory < inf:
            raise OptionError(f"memory={memory} must be above 0 and finite: it is in gigabytes.")
        options["memory_limit"] = f"{memory * 1000:.0f}MB"
        options["threads"] = int(min(max(memory / PER_THREAD, 1), os.cpu_count() or 1))
    return options


def _reason(error: duckdb.Error) -> str:
    return str(error).partition(": ")[2].partition("\n")[0].rstrip(".")
