"""A split of repeat consumption: people have things again, and a model may say so."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from recvae.data.ids import look_up
from recvae.data.matrices import placed
from recvae.data.reading.sources import TableSource, read_columns
from recvae.data.reading.tables import read_interactions
from recvae.data.reading.times import Moment, to_seconds
from recvae.data.splits.holdout import Split
from recvae.data.splits.parts import with_both
from recvae.data.splits.time import in_periods


def split_repeats(
    source: TableSource,
    validation_from: Moment,
    test_from: Moment,
    *,
    user: str = "user",
    item: str = "item",
    value: str | None = None,
    timestamp: str = "timestamp",
    columns: Sequence[str] | None = None,
    quotes: bool = True,
    query: str | None = None,
    **reading: Any,
) -> Split:
    """Train on a first period, hold out a second and a third, with what users have had before.

    In Interactions a user and an item are one entry, so that this splits the lines of a table. All
    that a user has had before a period is folded in, weights added up; all that they have in it is
    held out, new or not, and models rank all items (`exclude_seen=False`). Items that no user has
    in training are dropped.

    Args:
        source: a table with one line per interaction, as `read_interactions` takes it, with its
            columns `user` to `query`.
        validation_from: the first moment of the validation period, and the end of training.
        test_from: the first moment of the test period, and the end of validation.
        reading: `min_weight` and `duplicates`, by which the lines of each period are read, and
            `min_user_items`, `min_item_users` and `k_core`, by which those of training are.

    Returns:
        A split whose held-out sets have the users with a history before the period and items in it;
        `n_dropped` counts the other users of the period. `rows` is None, as of `split_time`.

    Raises:
        OptionError: the points in time are no times, or in the wrong order.
        DataError: a period has no data, or a held-out set no user.
        RecvaeError: what `read_interactions` raises.
    """
    named = [timestamp] if value is None else [timestamp, value]
    table = read_columns(source, [user, item], named, columns, quotes=quotes, query=query)
    lines = pd.DataFrame({name: pd.Series(column).array for name, column in table.items()})
    training, *periods = in_periods(to_seconds(lines[timestamp]), validation_from, test_from)
    names: dict[str, Any] = {"user": user, "item": item, "value": value, "timestamp": timestamp}
    train = read_interactions(lines[training], **names, **reading)
    of_lines = names | {name: reading.get(name) for name in ("min_weight", "duplicates")}
    parts = [train, *(read_interactions(lines[period], **of_lines) for period in periods)]
    users = pd.Index(np.concatenate([part.user_ids for part in parts])).unique()
    items = train.item_ids
    first, second, third = (
        placed(
            part.matrix,
            look_up(part.user_ids, users),
            look_up(part.item_ids, items),
            (len(users), len(items)),
        )
        for part in parts
    )
    validation, test = (
        with_both(visible, hidden, users, items, np.diff(hidden.indptr) > 0, exclude_seen=False)
        for visible, hidden in ((first, second), ((first + second).tocsr(), third))
    )
    return Split(train, validation, test)
