"""Databases: a query's lines as an Arrow table, and tables written to one whole or not at all."""

import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from secrets import token_hex
from typing import TYPE_CHECKING, Any

from recvae.errors import (
    DataError,
    MissingFileError,
    OptionError,
    RecvaeError,
    WriteError,
    did_you_mean,
)
from recvae.packages import optional

if TYPE_CHECKING:
    import pyarrow as pa

DRIVERS = {
    "postgresql": "adbc_driver_postgresql.dbapi",
    "postgres": "adbc_driver_postgresql.dbapi",
    "sqlite": "adbc_driver_sqlite.dbapi",
    "duckdb": "adbc_driver_duckdb.dbapi",
}
"""The modules that speak to a database and give Arrow, by the scheme of its address."""
ALIKE = 4
"""The first columns that a table has in common with its successor: lists may get titles, too."""
IN_FILES = ("sqlite", "duckdb")
WELL_FORMED = r"(?!.*%(00|(?![0-9A-Fa-f]{2})))([^@/?#\s]*@)?[^@\s]*"
"""What may follow the scheme. Of an address that it can't read, a driver would print a part, which
may be of the password."""
PASSWORD = re.compile(r"(?<=/)([^\s:/@?#]*:)\S*@|(?<=password=)[^\s&]*")


def is_address(source: object) -> bool:
    """Whether this names a database and not a file."""
    return isinstance(source, str) and "://" in source


def without_password(text: str) -> str:
    """A text in which the passwords of addresses are hidden."""
    return PASSWORD.sub(lambda found: f"{found[1]}***@" if found[1] else "***", text)


def read_query(address: str, query: str) -> "pa.Table":
    """The lines that a query selects, with the types of the database.

    Args:
        address: `postgresql://user:password@host:port/database`, whose parts may be left to the
            variables and the password file of PostgreSQL, or `sqlite:///file` or `duckdb:///file`,
            with four slashes before a path from the root.
        query: what to select, in its SQL.

    Raises:
        OptionError: this is no address.
        MissingFileError: there is no such file.
        MissingPackageError: the driver is not installed.
        DataError: the database does not answer, or refuses the query.
    """
    scheme, path = _parts(address)
    if scheme in IN_FILES and not Path(path).is_file():
        raise MissingFileError(f"there is no file {path}.")
    with _cursor(address, DataError) as cursor:
        cursor.execute(query)
        return cursor.fetch_arrow_table()


def write_table(parts: "Iterable[pa.Table]", address: str) -> None:
    """Write parts one after another as one table, by the bulk load of the database.

    They go to a new table, which takes the place of an old one in the same transaction: who reads
    meanwhile reads the old one. Rights on the old one, its indices and its triggers go with it.
    A table whose first columns are others is none of ours, and stays.

    Args:
        parts: Arrow tables with the same columns, at least one.
        address: as `read_query` takes it, and `#` with the table's name, such as `#lists`, or with
            its schema's, `#shop.lists`.

    Raises:
        OptionError, MissingPackageError: as of `read_query`, or the address names no table.
        WriteError: the database does not answer, or refuses the table, or has one of that name with
            other first columns.
    """
    database, _, name = address.rpartition("#")
    schema, _, table = name.rpartition(".")
    if not (database and table):
        raise OptionError(f"{without_password(address)} names no table: add #NAME, as in #lists.")
    draft, within = f"draft_{token_hex(8)}", {"db_schema_name": schema} if schema else {}
    with _cursor(database, WriteError) as cursor:
        for number, part in enumerate(parts):
            if not number:
                _require_alike(cursor.connection, schema, table, part.column_names)
            cursor.adbc_ingest(draft, part, "append" if number else "create", **within)
        cursor.execute(f"DROP TABLE IF EXISTS {_quoted(schema, table)}")
        cursor.execute(f"ALTER TABLE {_quoted(schema, draft)} RENAME TO {_quoted(table)}")
        cursor.connection.commit()


def _require_alike(connection: Any, schema: str, table: str, columns: list[str]) -> None:
    """Raise WriteError if there is a table of this name whose first columns are others."""
    try:
        there = connection.adbc_get_table_schema(table, db_schema_filter=schema or None).names
    except connection.Error:  # there is none, and PostgreSQL takes no more in this transaction
        connection.rollback()
        return
    if there[:ALIKE] != columns[:ALIKE]:
        raise WriteError(
            f"the table {table} is there, with other columns ({', '.join(there)}): choose another "
            "name, or drop it."
        )


def _quoted(*names: str) -> str:
    """Names as SQL has them, joined by dots; an empty one is left out."""
    return ".".join('"{}"'.format(name.replace('"', '""')) for name in names if name)


def _parts(address: str) -> tuple[str, str]:
    """The scheme of an address, and for SQLite and DuckDB the path of the file."""
    scheme, _, rest = address.partition("://")
    if scheme not in DRIVERS:
        hint = did_you_mean(scheme, DRIVERS)
        raise OptionError(f"{scheme}:// is no database that is known: {hint}")
    if scheme not in IN_FILES and not re.fullmatch(WELL_FORMED, rest):
        raise OptionError(
            "this address can't be read: in a password, write @ as %40, / as %2F, # as %23, ? as "
            "%3F, % as %25 and a space as %20."
        )
    if scheme in IN_FILES and not rest.startswith("/"):
        raise OptionError(f"write {scheme}:///{rest}: three slashes before the path of a file.")
    return scheme, rest.removeprefix("/")


@contextmanager
def _cursor(address: str, failure: type[RecvaeError]) -> Iterator[Any]:
    """A cursor in a transaction that ends without effect, unless it is committed."""
    scheme, path = _parts(address)
    driver = optional(DRIVERS[scheme], "'recvae[db]'")
    try:
        target = path if scheme in IN_FILES else address
        with driver.connect(target) as connection, connection.cursor() as cursor:
            yield cursor
    except RecvaeError:
        raise
    except (driver.Error, OSError, ValueError) as error:
        reason = re.sub(r"^[A-Z_]+: ", "", str(error).strip().splitlines()[0]).rstrip(".")
        if "Type mismatch" in reason:
            reason += "; it has values of several types: convert them by CAST in the query"
        raise failure(without_password(f"{address}: {reason}.")) from None
