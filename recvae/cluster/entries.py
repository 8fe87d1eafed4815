"""Entries: turns lines in any order into users x items in order, by SQL, on the disk (out-of-core).

These are the steps of `read_interactions`. Each makes a table, unless the table is there already:

    lines -> users, items    the distinct raw ids, numbered as they ascend
          -> numbered        the lines with these numbers
          -> entries         lines of the same user and item are one
          -> columns         the items that are left, without light or rare ones, or of a k-core
          -> ordered         what is left of the entries, by users and columns
"""

import numpy as np
import pandas as pd
import scipy.sparse as sp
from duckdb import DuckDBPyConnection

from recvae.data.ids import encode, require_none_missing
from recvae.data.interactions import Interactions
from recvae.data.reading.build import Duplicates, require_weights, warn_of_duplicates, way_to_merge

MERGED = {
    "sum": "sum(weight::DOUBLE)::FLOAT",
    "max": "max(weight)",
    "last": "arg_max(weight, position)",
}
"""The weight of lines of the same user and item. The sum of some FLOATs as DOUBLEs is exact, and so
the same in any order, unless one is a million times as large as another."""


def read_lines(select: str, database: DuckDBPyConnection, *, positive: bool) -> None:
    """Make the view `lines` of an SQL query; with `positive`, weights of 0 and less become 0.

    Raises:
        DataError: weights that are not finite or, unless `positive`, not above 0.
    """
    weight = "greatest(weight, 0)" if positive else "weight"
    database.execute(
        f"CREATE TEMP VIEW lines AS SELECT * REPLACE ({weight} AS weight) FROM ({select})"
    )
    n_not_finite, n_not_positive = _counts(
        database, "SELECT count_if(isfinite(weight) IS NOT TRUE), count_if(weight <= 0) FROM lines"
    )
    require_weights(n_not_finite, 0 if positive else n_not_positive)


def number_ids(database: DuckDBPyConnection, name: str) -> None:
    """Number the ids of users or items; they must be integers or strings, and not missing."""
    database.execute(f"""
        CREATE TABLE IF NOT EXISTS {name}s AS
        SELECT id, (row_number() OVER (ORDER BY id) - 1)::INTEGER AS number
        FROM (SELECT DISTINCT {name}_id AS id FROM lines)
    """)
    if _counts(database, f"SELECT count(*) - count(id) FROM {name}s") != (0,):
        [missing] = _counts(database, f"SELECT count(*) - count({name}_id) FROM lines")
        require_none_missing(missing, name)
    _ids(database, f"SELECT id FROM {name}s LIMIT 1", name)


def merge_lines(
    database: DuckDBPyConnection, duplicates: Duplicates | None, *, weighted: bool
) -> None:
    """Make one entry of the lines of the same user and item, as `build_interactions` does."""
    database.execute("""
        CREATE TABLE IF NOT EXISTS numbered AS
        SELECT users.number AS user, items.number AS item, weight, position
        FROM lines JOIN users ON user_id = users.id JOIN items ON item_id = items.id
    """)
    weight = MERGED[way_to_merge(duplicates, weighted=weighted)]
    database.execute(f"""
        CREATE TABLE IF NOT EXISTS entries AS
        SELECT "user", item, {weight} AS weight, min(position) AS position
        FROM numbered GROUP BY ALL
    """)
    [n_lines] = _counts(database, "SELECT count(*) FROM numbered")
    [n_entries] = _counts(database, "SELECT count(*) FROM entries")
    if weighted and duplicates is None and n_entries < n_lines:
        warn_of_duplicates(n_lines - n_entries, n_lines, stacklevel=4)


def filter_entries(
    database: DuckDBPyConnection,
    min_weight: float | None,
    *,
    min_user_items: int,
    min_item_users: int,
    k_core: bool,
) -> None:
    """Drop light entries, rare items, and users with few items, as `Interactions.filter` does."""
    minimums = {"item": min_item_users, "user": min_user_items}
    for name in minimums:
        database.execute(f"CREATE TEMP TABLE kept_{name}s AS SELECT number AS {name} FROM {name}s")
    least = "" if min_weight is None else f"AND weight >= '{float(min_weight)}'::FLOAT"
    database.execute(f"""
        CREATE TEMP VIEW kept AS SELECT * FROM entries
        SEMI JOIN kept_users USING ("user") SEMI JOIN kept_items USING (item)
        WHERE weight > 0 {least}
    """)
    sizes = "SELECT (SELECT count(*) FROM kept_users), (SELECT count(*) FROM kept_items)"
    before = None
    while before != (before := _counts(database, sizes)):
        for name, minimum in minimums.items():
            database.execute(f"""
                CREATE OR REPLACE TEMP TABLE kept_{name}s AS
                SELECT "{name}" FROM kept GROUP BY "{name}" HAVING count(*) >= {minimum}
            """)
        if not k_core:
            break
    database.execute("""
        CREATE TABLE IF NOT EXISTS columns AS
        SELECT item, (row_number() OVER (ORDER BY item) - 1)::INTEGER AS number, count(*) AS users
        FROM kept GROUP BY item
    """)


def order_entries(database: DuckDBPyConnection) -> None:
    """Sort the remaining entries by user and column."""
    database.execute("""
        CREATE TABLE IF NOT EXISTS ordered AS
        SELECT "user", columns.number AS item, weight, position
        FROM kept JOIN columns USING (item) ORDER BY "user", columns.number
    """)


def cut_users(database: DuckDBPyConnection, lines: int) -> list[tuple[int, int]]:
    """Cut the users into runs of about `lines` entries; give the first and last user of each."""
    return database.execute(f"""
        SELECT min("user"), max("user") FROM (
            SELECT "user", (sum(count(*)) OVER (ORDER BY "user") - count(*)) // {lines} AS run
            FROM ordered GROUP BY "user"
        ) GROUP BY run ORDER BY run
    """).fetchall()


def read_users(database: DuckDBPyConnection, first: int, last: int) -> Interactions:
    """Read the users of a run, with their entries."""
    own = f'"user" BETWEEN {first} AND {last}'
    entries = database.sql(f'SELECT * FROM ordered WHERE {own} ORDER BY "user", item').df()
    starts = np.flatnonzero(np.diff(entries["user"], prepend=-1))
    left = f'SELECT "user" FROM ordered WHERE {own}'  # those whom the filters have left
    ids = _ids(database, f"SELECT id FROM users WHERE number IN ({left}) ORDER BY number", "user")
    [n_items] = _counts(database, "SELECT count(*) FROM columns")
    rows = [*starts, len(entries)]
    return Interactions(
        sp.csr_matrix((entries["weight"], entries["item"], rows), shape=(len(ids), n_items)),
        pd.DataFrame(index=ids),
        pd.DataFrame(index=pd.RangeIndex(n_items)),
        positions=entries["position"].to_numpy(),
    )


def read_items(database: DuckDBPyConnection) -> pd.DataFrame:
    """DataFrame of the remaining items, indexed by raw item id: how many `users` have each."""
    ids = _ids(database, "SELECT id FROM items ORDER BY number", "item")
    columns = database.sql("SELECT item, users FROM columns ORDER BY number").df()
    return pd.DataFrame({"users": columns["users"].to_numpy()}, index=ids[columns["item"]])


def _ids(database: DuckDBPyConnection, query: str, name: str) -> pd.Index:
    """The ascending ids of a query, with the type that `read_interactions` gives them."""
    return encode(database.sql(query).to_arrow_table()["id"].to_pandas(), name)[1]


def _counts(database: DuckDBPyConnection, query: str) -> tuple[int, ...]:
    [counts] = database.execute(query).fetchall()
    return counts
