"""Histories: reads a table of users' items into the columns of a fitted model."""

import logging
import warnings
from collections.abc import Iterable
from typing import Any

import numpy as np
import pandas as pd

from recvae.data.ids import as_ids, look_up, require_none_missing
from recvae.data.interactions import Interactions
from recvae.data.reading.build import Duplicates, in_order, merge_lines, to_weights
from recvae.data.reading.sources import TableSource, read_columns
from recvae.data.reading.times import to_seconds
from recvae.errors import DataError

logger = logging.getLogger(__name__)


class UnknownItemWarning(UserWarning):
    """Some items of the histories are unknown to the model and were skipped."""


def read_histories(
    source: TableSource,
    item_ids: pd.Index,
    *,
    user: str,
    item: str,
    value: str | None = None,
    min_weight: float | None = None,
    timestamp: str | None = None,
    duplicates: Duplicates | None = None,
) -> Interactions:
    """Turn a table of raw ids into rows over known items.

    Args:
        source: a line per interaction; this and the names of its columns and `duplicates` are as
            in `read_interactions`.
        item_ids: the raw ids of the model's items, in column order, found by `ids.look_up`.
        min_weight: the least weight of a like, where `value` is named; lighter lines are of
            disliked items, but for those of weight 0. None if every line is a like.

    Returns:
        Users in order of first appearance x the known items. Others are skipped with one
        `UnknownItemWarning`; a user who has no known item has an empty row.

    Raises:
        DataError: as of `read_interactions`, or the item ids are of another type than the model's,
            so that none can be known.
        MissingFileError: there is no such file.
    """
    others = [name for name in (value, timestamp) if name is not None]
    table = read_columns(source, [user, item], others)
    rows, user_ids = _distinct(table[user], "user")
    columns = _columns(table[item], item_ids, "item", stacklevel=5)
    least = None if value is None else min_weight
    weights = None if value is None else to_weights(table[value], signed=least is not None)
    seconds = None if timestamp is None else to_seconds(table[timestamp])
    known = columns >= 0
    lines = in_order(
        rows[known],
        columns[known],
        None if weights is None else weights[known],
        None if seconds is None else seconds[known],
        (len(user_ids), len(item_ids)),
    )
    data = merge_lines(
        lines,
        user_ids,
        item_ids,
        weighted=value is not None,
        duplicates=duplicates,
        signed=least is not None,
    )
    if least is None:
        return data
    data = data.part(least)
    if data.disliked is not None and data.disliked.nnz:
        logger.info(
            "%s of %s interactions weigh less than the %g of a like: they are left out of the "
            "lists, and not taken for likes",
            *(f"{count:,}" for count in (data.disliked.nnz, len(rows))),
            least,
        )
    return data


def known_columns(ids: Iterable[Any], item_ids: pd.Index, name: str) -> np.ndarray:
    """Columns int64 of the items with these raw ids; a warning counts the unknown ones.

    Raises:
        DataError: an id is missing, or of another type than the model's.
    """
    columns = _columns(list(ids), item_ids, name, stacklevel=6)
    return columns[columns >= 0]


def _columns(ids: Any, item_ids: pd.Index, name: str, *, stacklevel: int) -> np.ndarray:
    """The column of each item, -1 for the unknown ones, which a warning counts."""
    codes, distinct = _distinct(ids, name)
    columns = look_up(distinct, item_ids)[codes]
    unknown = columns < 0
    if unknown.any():
        if unknown.all():
            _require_alike(distinct, item_ids)
        example = distinct[codes[unknown.argmax()]]
        warn_of_unknown(unknown.sum(), len(columns), example, name, stacklevel=stacklevel)
    return columns


def _distinct(ids: Any, name: str) -> tuple[np.ndarray, pd.Index]:
    """The number of each id, and the distinct ids as they first appear."""
    try:
        codes, distinct = pd.factorize(pd.Series(ids))
    except TypeError:
        raise DataError(f"{name} ids must be integers or strings, not lists or the like.") from None
    if isinstance(distinct, pd.CategoricalIndex):
        distinct = distinct.astype(distinct.categories.dtype)
    distinct = as_ids(pd.Index(distinct), name)
    missing = codes < 0
    if "" in distinct:
        missing = missing | (codes == distinct.get_loc(""))
    require_none_missing(int(missing.sum()), name)
    return codes, distinct


def _require_alike(unknown: pd.Index, item_ids: pd.Index) -> None:
    """Raise DataError if no id is known because they are of another type than the model's."""
    theirs, ours = (pd.api.types.infer_dtype(ids) for ids in (unknown, item_ids))
    if (theirs == "string") != (ours == "string"):
        raise DataError(
            f"no item is known: the table's item ids are of type {theirs} (such as {unknown[0]}), "
            f"the model's of type {ours} ({item_ids[0]}): give the ids that it was trained with."
        )


def warn_of_unknown(count: int, of: int, example: object, name: str, *, stacklevel: int) -> None:
    """Warn that so many of all ids are skipped, and name one of them."""
    warnings.warn(
        f"{count:,} of {of:,} {name} ids are unknown to the model, such as {example}: they are "
        "skipped.",
        UnknownItemWarning,
        stacklevel=stacklevel,
    )
