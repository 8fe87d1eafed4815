"""Times: turns dates and numbers into seconds since 1970."""

import re
from datetime import date
from typing import Any, TypeAlias

import numpy as np
import pandas as pd

from recvae.errors import DataError, OptionError

Moment: TypeAlias = "float | str | date | pd.Timestamp | np.datetime64"
"""Seconds since 1970, or a date (UTC unless it says otherwise)."""
SECONDS = r"[0-9]{9,10}"
"""Text that is a number of seconds; other digits, such as 2018 and 20180423, are a date."""


def to_seconds(times: Any) -> np.ndarray:
    """Times as seconds since 1970: int64 if all are whole, else float64, which keeps microseconds.

    Numbers are taken as seconds, or as days if all are such as 20180423; text as numbers, or as
    dates by ISO 8601, UTC unless they say otherwise. (Text such as 04/05/2018 is refused: it may be
    April or May.)

    Raises:
        DataError: times that are missing, beyond int64, or neither numbers nor dates.
    """
    try:
        seconds = _parse(pd.Series(times))
    except (TypeError, ValueError, OverflowError) as error:
        reason = str(error).partition(". ")[0].rstrip(".")
        raise DataError(
            "the timestamps must be seconds since 1970, or dates such as 2018-04-23 or "
            f"2018-04-23T09:30:00.5Z: {reason}."
        ) from None
    if missing := int(seconds.isna().sum()):
        raise DataError(f"{missing:,} of the timestamps are missing: drop or repair those rows.")
    whole = seconds.to_numpy().astype(np.int64)
    return whole if (whole == seconds).all() else seconds.to_numpy(np.float64)


def to_moment(time: Moment) -> float:
    """A point in time as seconds since 1970; raise OptionError if it is none."""
    is_date = isinstance(time, str) and not re.fullmatch(SECONDS, time)
    try:
        return to_seconds([pd.Timestamp(time) if is_date else time])[0]
    except ValueError:
        raise OptionError(
            f"{time!r} is no point in time: give seconds since 1970, or a date such as 2018-04-23."
        ) from None


def _parse(times: pd.Series) -> pd.Series:
    kind = pd.api.types.infer_dtype(times, skipna=True)
    if kind in ("string", "integer", "floating", "decimal"):
        numbers = pd.to_numeric(times, errors="coerce")
        if numbers[times.notna()].notna().all():
            if (days := _as_days(numbers)) is None:
                return _of_64_bits(numbers.where(np.isfinite(numbers)))
            times, kind = days, "datetime64"
    if kind == "string":
        times = times.str.replace(" UTC", "Z")  # as BigQuery writes it
    dates = pd.to_datetime(times, utc=True, format="ISO8601").dt.tz_localize(None)
    whole = dates.dt.floor("s")
    seconds = whole.astype("datetime64[s]").astype(np.int64).where(dates.notna())
    return seconds + (dates - whole) / pd.Timedelta(seconds=1)


def _as_days(numbers: pd.Series) -> pd.Series | None:
    """Days, if all numbers are such as 20180423, which as seconds would be of August 1970."""
    known = numbers[numbers.notna()]
    if not known.between(19_000_101, 21_001_231).all() or (known % 1 > 0).any():
        return None
    texts = numbers.astype("Int64").astype("string")
    days = pd.to_datetime(texts, format="%Y%m%d", errors="coerce")
    return days if days.count() == len(known) else None


def _of_64_bits(numbers: pd.Series) -> pd.Series:
    if ((numbers < -(2.0**63)) | (numbers >= 2.0**63)).any():
        raise OverflowError("some numbers are beyond 64 bits")
    return numbers
