"""Splits in time: everything after one moment is held out, for all users at once."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from recvae.data.ids import look_up
from recvae.data.interactions import Interactions, require_timestamps
from recvae.data.matrices import placed
from recvae.data.reading.sources import TableSource, read_columns
from recvae.data.reading.tables import read_interactions
from recvae.data.reading.times import Moment, to_moment, to_seconds
from recvae.data.splits.holdout import Split
from recvae.data.splits.parts import hold_out, known_items, with_both
from recvae.errors import DataError, OptionError

LATEST = 2**33
"""Seconds since 1970 in the year 2242: a greater number must be milliseconds or less."""


def split_time(data: Interactions, validation_from: Moment, test_from: Moment) -> Split:
    """Train on what was before one point in time, and hold out what came after.

        in which period   training   validation   test
        1 1 2 3           T T . .    f f h .      f f f h    user a
        . 3 1 1           . . T T                 . h f f    user b
        2 . 3 .                                   f . h .    user c

    Period 1 ends where `validation_from` begins period 2, which ends where `test_from` begins
    period 3. What lies before a period is folded in, what lies in it is held out. User c has no
    history before period 2, so is dropped from validation, and not in training.

    Items that no user has in training are dropped. A user and an item make one entry, at the
    latest of their timestamps, so that an item is never folded in and held out at once.

    Args:
        data: users x items with timestamps.
        validation_from: the first moment of the validation period, and the end of training.
        test_from: the first moment of the test period, and the end of validation.

    Returns:
        Training has the users who are active before `validation_from`. The held-out sets have those
        with a history before the period and new items in it; `n_dropped` counts the other users
        who are active in it. `rows` is None, since some users first appear after training.

    Raises:
        OptionError: the points in time are no times, or in the wrong order.
        DataError: there are no timestamps, all are the same, or a period has no data.
    """
    periods = _in_periods(require_timestamps(data), validation_from, test_from)
    active = [np.bincount(data.rows[period], minlength=data.shape[0]) > 0 for period in periods]
    data = replace(data, disliked=None)  # some may be disliked later only
    data, (train, validation, test) = known_items(data, *periods)
    return Split(
        data.keep(train).select_users(active[0]),
        hold_out(data, train, validation, among=active[1]),
        hold_out(data, train | validation, test, among=active[2]),
    )


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
    training, *periods = _in_periods(to_seconds(lines[timestamp]), validation_from, test_from)
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


def _in_periods(
    times: np.ndarray, validation_from: Moment, test_from: Moment
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Which of some times, in seconds, are of training, of validation and of test."""
    start, end = to_moment(validation_from), to_moment(test_from)
    if start >= end:
        raise OptionError(
            f"validation_from={validation_from} must be before test_from={test_from}."
        )
    periods = times < start, (start <= times) & (times < end), end <= times
    for name, period in zip(("training", "validation", "test"), periods, strict=True):
        if not period.any():
            raise DataError(f"no interaction is in the {name} period: {_span(times)}.")
    return periods


def _span(times: np.ndarray) -> str:
    first, last = times.min(), times.max()
    if first < -LATEST or last > LATEST:
        return f"timestamps must be seconds since 1970, and these are from {first} to {last}"
    return "they are from {} to {}".format(*pd.to_datetime([first, last], unit="s"))
