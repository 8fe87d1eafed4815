"""Times: turns dates and numbers into seconds since 1970."""

from typing import Any

import numpy as np
import pandas as pd

from recvae.errors import DataError


def to_seconds(times: Any) -> np.ndarray:
    """Times as int64 seconds since 1970; numbers are taken as seconds, dates without a zone as UTC.

    Raises:
        DataError: times that are missing, that are beyond int64, or that pandas can't read as
            dates.
    """
    try:
        seconds = _parse(pd.Series(times))
    except (TypeError, ValueError, OverflowError) as error:
        reason = str(error).split(". ")[0].rstrip(".")
        raise DataError(
            f"the timestamps must be seconds since 1970, or dates such as 2018-04-23: {reason}."
        ) from None
    if missing := int(seconds.isna().sum()):
        raise DataError(f"{missing:,} of the timestamps are missing: drop or repair those rows.")
    return seconds.to_numpy().astype(np.int64)


def _parse(times: pd.Series) -> pd.Series:
    if pd.api.types.is_float_dtype(times.dtype):
        return _of_64_bits(times.where(np.isfinite(times)))
    if pd.api.types.is_integer_dtype(times.dtype):
        return _of_64_bits(times)
    if pd.api.types.infer_dtype(times, skipna=True) in ("string", "integer", "floating"):
        numbers = pd.to_numeric(times, errors="coerce")
        if numbers[times.notna()].notna().all():
            return _of_64_bits(numbers)
    return pd.to_datetime(times, utc=True).dt.tz_localize(None).astype("datetime64[s]")


def _of_64_bits(numbers: pd.Series) -> pd.Series:
    if (numbers < -(2**63)).any() or (numbers >= 2**63).any():
        raise OverflowError("some numbers are beyond 64 bits")
    return numbers
