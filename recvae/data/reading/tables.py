"""Tables: reads Interactions from a line per interaction, and what is known of items or users."""

from collections.abc import Sequence
from os import PathLike

import numpy as np
import pandas as pd

from recvae.data.ids import require_none_missing
from recvae.data.interactions import Interactions
from recvae.data.reading.build import Duplicates, build_interactions
from recvae.data.reading.sources import TableSource, as_file, fields_of, read_columns
from recvae.data.reading.text import NULL
from recvae.disk.paths import path_of
from recvae.errors import MissingFileError, OptionError


def read_interactions(
    source: TableSource,
    *,
    user: str = "user",
    item: str = "item",
    value: str | None = None,
    timestamp: str | None = None,
    columns: Sequence[str] | None = None,
    quotes: bool = True,
    query: str | None = None,
    min_weight: float | None = None,
    min_user_items: int = 1,
    min_item_users: int = 1,
    k_core: bool = False,
    duplicates: Duplicates | None = None,
) -> Interactions:
    """Read users x items from a table with one line per interaction.

    Lines of the same user and item are merged, then what weighs less than `min_weight` is parted
    from the likes, as `Interactions.disliked`, then rare items are dropped, then users with few
    items. With `min_weight`, values of zero or less are taken: what weighs 0 counts as not met.

    Args:
        source: a path of a CSV, TSV or Parquet file, of a file with a JSON object a line, or of a
            folder of Parquet files, which are read in the order of their paths, a dataframe of
            pandas, Polars, Arrow, DuckDB or whatever else has `__arrow_c_stream__`, or a mapping of
            arrays; or the address of a database, such as `postgresql://user@host/shop`,
            `sqlite:///shop.db` or `duckdb:///shop.duckdb`. In text files the delimiter (comma, tab,
            semicolon, bar or two colons), the encoding (UTF-8, UTF-16 or Windows-1252) and the
            compression (`.gz`) are detected.
        user: name of the column of user ids, all integers or all strings. In a text file all ids
            are strings if one of them is not written as an integer, such as "007".
        item: name of the column of item ids, of the same kinds.
        value: name of the column of weights (ratings, counts); None counts each line as one.
        timestamp: name of the column of seconds since 1970, or of dates, as text by ISO 8601 (UTC
            unless they say otherwise). Fractions of a second are kept.
        columns: names of all columns of a text file, in its order, if it has no header.
        quotes: whether " quotes fields of a text file; False if it is a part of the text.
        query: what to select from a database, in its SQL.
        min_weight: the least weight of a like, such as 4 for stars, or 1 where 1 is a thumb up and
            -1 a thumb down; it needs `value`. (For pairs with a least number of lines, use `filter`
            on the result.)
        min_user_items: keep users who like at least this many items.
        min_item_users: keep items that at least this many users like.
        k_core: hold both minimums at once, see `Interactions.filter`.
        duplicates: the weight of lines of the same user and item: their "sum" (of counts), their
            "max", or the "last" one (of ratings): the latest by timestamp if there is one, else,
            and of equal timestamps, the last line. None for the last with a `DuplicateWarning`, or
            without `value` for their number.

    Returns:
        Interactions with rows and columns in ascending order of the raw ids.

    Raises:
        MissingFileError: there is no such file.
        MissingPackageError: the database needs the extra `recvae[db]`.
        DataError: the file is no table, the database refuses the query, a column is missing, ids
            are missing, values are not above 0, timestamps are no dates, or no interaction remains.
        OptionError: `duplicates` is unknown, `columns` was given for a source that is no text file,
            `query` for one that is no database, or `min_weight` without `value`.
    """
    require_value(min_weight, value)
    named = [name for name in (value, timestamp) if name is not None]
    table = read_columns(source, [user, item], named, columns, quotes=quotes, query=query)
    data = build_interactions(
        table[user],
        table[item],
        None if value is None else table[value],
        None if timestamp is None else table[timestamp],
        duplicates=duplicates,
        signed=min_weight is not None,
    )
    return data.filter(
        min_weight=min_weight,
        min_user_items=min_user_items,
        min_item_users=min_item_users,
        k_core=k_core,
    )


def require_value(min_weight: float | None, value: str | None) -> None:
    """Raise OptionError if there is a least weight but no column of weights."""
    if min_weight is not None and value is None:
        raise OptionError(
            f"min_weight={min_weight:g} needs the column of weights: name it by value=..."
        )


def read_items(path: str | PathLike[str], item: str = "item") -> pd.DataFrame:
    """Read a table of items for `Interactions.with_items`, or of users for `with_user_info`.

    Args:
        path: a CSV, TSV or Parquet file, whose first line names its columns.
        item: name of the column of the items' or users' ids, integers or text.

    Returns:
        Its other columns, indexed by these ids.

    Raises:
        MissingFileError: there is no such file.
        DataError: the file is no table, or has no such column, or ids are missing.
    """
    path = path_of(path)
    if path.is_dir() or not path.exists():
        raise MissingFileError(f"there is no file {path}.")
    with as_file(path) as file:
        others = [name for name in dict.fromkeys(fields_of(file)) if name != item]
        table = pd.DataFrame(read_columns(file, [item], others))
    ids = table.pop(item)
    require_none_missing(int(ids.isna().sum()), item)
    return table.replace(NULL, None).set_axis(pd.Index(np.asarray(ids), name=item))
