"""Times: whatever says when, as seconds since 1970."""

from typing import Any

import numpy as np
import pandas as pd

from recvae.errors import DataError


def to_seconds(times: Any) -> np.ndarray:
    """Times as int64 seconds since 1970; numbers are seconds already, dates without a zone UTC.

    Raises:
        DataError: times that are missing, or that pandas can't read as dates.
    """
    series = pd.Series(times)
    try:
        if not pd.api.types.is_numeric_dtype(series.dtype):
            series = _parse(series)
        if missing := int(series.isna().sum()):
            raise DataError(
                f"{missing:,} of the timestamps are missing: drop or repair those rows."
            )
        return series.to_numpy().astype(np.int64)
    except (TypeError, ValueError, OverflowError) as error:
        if isinstance(error, DataError):
            raise
        raise DataError(
            f"the timestamps must be seconds since 1970, or dates such as 2018-04-23: {error}."
        ) from None


def _parse(times: pd.Series) -> pd.Series:
    if pd.api.types.infer_dtype(times) in ("string", "integer", "floating", "mixed-integer-float"):
        numbers = pd.to_numeric(times, errors="coerce")
        if numbers.notna().any():
            return numbers
    dates = pd.to_datetime(times, utc=True).dt.tz_localize(None)
    return dates.astype("datetime64[s]")
