"""Growth: yesterday's users x items with what is new today, rows and columns where they were."""

from collections.abc import Collection
from typing import Any

import numpy as np
import pandas as pd

from recvae.data.ids import as_integers, look_up
from recvae.data.interactions import Interactions
from recvae.data.matrices import placed, sized
from recvae.errors import DataError


def grown(known: Interactions, new: Interactions) -> Interactions:
    """Add new interactions, of known and of new users and items.

    New users are rows after all others, new items columns after all others; their lines say what
    `new` says of them, those of users no more than `known` says. A pair that is known takes its new
    weight; if it is disliked now, it goes. Times are not kept.

    Raises:
        DataError: ids are integers in one and text in the other.
    """
    told_of_users = new.users[new.users.columns.intersection(known.users.columns)]
    rows, users = _placed(new.user_ids, known.users, told_of_users, "user")
    columns, items = _placed(new.item_ids, known.items, new.items, "item")
    shape = len(users), len(items)

    fresh, matrix = placed(new.matrix, rows, columns, shape), sized(known.matrix, shape)
    told = fresh > 0
    if new.disliked is not None:
        told = told + placed(new.disliked, rows, columns, shape)
    return Interactions((matrix - matrix.multiply(told) + fresh).tocsr(), users, items)


def without_users(data: Interactions, ids: Collection[Any]) -> Interactions:
    """Drop users by their raw ids, but not their items; raise DataError if one is unknown."""
    rows = look_up(pd.Index(list(ids)), data.user_ids)
    if (rows < 0).any():
        raise DataError(
            f"there is no user {list(ids)[int(rows.argmin())]}: see that the id is right."
        )
    return data.select_users(np.setdiff1d(np.arange(data.shape[0]), rows))


def _placed(
    ids: pd.Index, known: pd.DataFrame, told: pd.DataFrame, name: str
) -> tuple[np.ndarray, pd.DataFrame]:
    """The place of each id in the table `known`, and that table with a line for each new id."""
    places = look_up(ids, known.index)
    is_new = places < 0
    places[is_new] = len(known) + np.arange(is_new.sum())
    if not is_new.any():
        return places, known
    told = told[is_new].set_axis(_written_as(ids[is_new], known.index))
    if (told.index.inferred_type == "string") != (known.index.inferred_type == "string"):
        raise DataError(
            f"the new {name} ids, such as {told.index[0]}, are of another type than the known "
            f"ones, such as {known.index[0]}: give ids of the same kind."
        )
    table = pd.concat([known, told])
    return places, table.set_axis(table.index.rename(known.index.name))


def _written_as(ids: pd.Index, known: pd.Index) -> pd.Index:
    """Ids as text if the known ones are text, as integers where they can be if those are."""
    if known.inferred_type == "string":
        return ids.astype(str)
    as_numbers = as_integers(ids) if ids.inferred_type == "string" else None
    return ids if as_numbers is None else as_numbers
