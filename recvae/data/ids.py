"""Ids: raw ids, integers or strings, checked and turned into their numbers in a vocabulary."""

import re
from typing import Any

import numpy as np
import pandas as pd

from recvae.errors import DataError

INTEGER = r"0|-?[1-9][0-9]{0,19}"
"""Text of an integer of up to 64 bits in its normal form: no leading zeros, no plus sign."""
WHOLE = rf"{INTEGER}|(0|-?[1-9][0-9]{{0,14}})\.0+"
"""Integers, and whole floats such as "7.0", which pandas writes if a column has missing values."""
CURES = {
    "floating": "floats are taken if they are whole and below 2^53 (float32: 2^24); read these as "
    "strings.",
    "bytes": 'decode them, as with .str.decode("utf-8"), or in a query CAST(... AS TEXT).',
}
SPAN = 4
"""Integers whose range is up to this many times their number are counted in a table, not hashed."""


def encode(raw: Any, name: str) -> tuple[np.ndarray, pd.Index]:
    """Number raw ids [n] by their rank among the distinct ones.

    They are all integers or all strings; a categorical counts as its categories.

    Returns:
        Codes int32 [n], and the distinct ids in ascending order, named `name`.

    Raises:
        DataError: ids are missing, or neither integers nor strings.
    """
    ids = pd.Series(raw)
    require_none_missing(int(ids.isna().sum()), name)
    if isinstance(ids.dtype, pd.CategoricalDtype):
        codes, vocabulary = _encode_categories(ids, name)
    else:
        ids = _as_integers_or_strings(ids, name)
        is_integer = pd.api.types.is_integer_dtype(ids.dtype)
        codes, vocabulary = _encode_integers(ids.to_numpy()) if is_integer else _hash(ids)
    if not pd.api.types.is_integer_dtype(vocabulary.dtype) and "" in vocabulary:
        require_none_missing(int((codes == vocabulary.get_loc("")).sum()), name)
    return codes.astype(np.int32, copy=False), vocabulary.rename(name)


def look_up(ids: pd.Index, vocabulary: pd.Index) -> np.ndarray:
    """The positions of raw ids [n] in a vocabulary, int64 [n], -1 for those that are not in it.

    An integer is found among strings by its text, and a string such as "7" among integers. For one
    table may have only numbers as ids, where a larger one also had other text, or the reverse.

    Raises:
        DataError: ids that are neither integers nor strings, as `encode` refuses them.
    """
    ids = as_ids(ids, str(vocabulary.name))
    if vocabulary.inferred_type == "string":
        ids = ids.astype(str)
    elif not pd.api.types.is_numeric_dtype(ids.dtype):
        ids = pd.Index([_as_written(one) for one in ids], dtype=object)
    return vocabulary.get_indexer(ids).astype(np.int64, copy=False)


def as_ids(ids: pd.Index, name: str) -> pd.Index:
    """Integers, strings, or both as JSON may mix them; raise DataError for anything else."""
    if ids.inferred_type == "mixed-integer":
        return ids
    return pd.Index(_as_integers_or_strings(ids.to_series(), name))


def _as_written(one: Any) -> Any:
    """Turn a string into an integer if it is written as one."""
    return int(one) if isinstance(one, str) and re.fullmatch(INTEGER, one) else one


def as_integers(texts: pd.Index) -> pd.Index | None:
    """Texts as int64 if each is written as a whole number that fits, else None."""
    if not texts.str.fullmatch(WHOLE).all():
        return None
    try:
        return texts.str.replace(r"\.0+$", "", regex=True).astype(np.int64)
    except OverflowError:
        return None


def require_none_missing(count: int, name: str) -> None:
    """Raise DataError if so many ids are missing."""
    if count:
        raise DataError(f"{count:,} of the {name} ids are missing: drop or repair those rows.")


def require_ids(ids: pd.Index, name: str) -> None:
    """Raise DataError unless raw ids are all integers or all strings, without duplicates."""
    if (kind := pd.api.types.infer_dtype(ids, skipna=False)) not in ("integer", "string"):
        raise DataError(
            f"{name} ids must be all integers or all strings, not {kind}: convert them."
        )
    if ids.hasnans:
        raise DataError(f"some of the {name} ids are missing: drop or repair those rows.")
    if ids.has_duplicates:
        raise DataError(f"the {name} id {ids[ids.duplicated()][0]} is there twice: rename one.")


def require_same_items(ids: pd.Index | None, others: pd.Index | None) -> None:
    """Raise DataError if the columns of two matrices are different items; None means unknown."""
    if ids is None or others is None or ids.equals(others):
        return
    if not any(one.equals(pd.RangeIndex(len(one))) for one in (ids, others)):
        raise DataError(
            "the columns are not of the same items, in the same order, as in training: make both "
            "parts by one call of a function of recvae.data.splits."
        )


def _as_integers_or_strings(ids: pd.Series, name: str) -> pd.Series:
    if isinstance(ids.dtype, pd.StringDtype):
        return ids
    kind = pd.api.types.infer_dtype(ids, skipna=False)
    if kind in ("string", "empty") or pd.api.types.is_integer_dtype(ids.dtype):
        return ids
    if kind == "integer" or (kind in ("floating", "decimal") and _are_whole(ids.to_numpy(), kind)):
        try:
            return ids.astype(np.int64)
        except OverflowError:
            kind = "integers beyond 64 bits"
    cure = CURES.get(kind, "convert them, for example with astype(str).")
    raise DataError(f"{name} ids must be all integers or all strings, not {kind}: {cure}")


def _are_whole(numbers: np.ndarray, kind: str) -> bool:
    """Whether floats or decimals are whole, and so small that no other number was rounded to one.

    From 2^53 on a float64 may stand for several whole numbers, and from 2^24 on a float32.
    """
    floats = numbers.dtype if numbers.dtype.kind == "f" else np.float64
    bound = 2**64 if kind == "decimal" else 2 ** (np.finfo(floats).nmant + 1)
    return bool((np.abs(numbers) < bound).all() and (numbers % 1 == 0).all())


def _encode_categories(ids: pd.Series, name: str) -> tuple[np.ndarray, pd.Index]:
    # Encode the categories that occur, which are few, then look each entry's category up.
    of_entry = ids.cat.codes.to_numpy()
    used = np.flatnonzero(np.bincount(of_entry, minlength=len(ids.cat.categories)))
    code = np.zeros(len(ids.cat.categories), dtype=np.int32)
    code[used], vocabulary = encode(ids.cat.categories[used], name)
    return code[of_entry], vocabulary


def _encode_integers(ids: np.ndarray) -> tuple[np.ndarray, pd.Index]:
    first, last = int(ids.min()), int(ids.max())
    if last - first > SPAN * len(ids) or last > np.iinfo(np.int64).max:
        return _hash(ids)
    # Mark the integers that occur in a table of the whole range; the running count of marks is the
    # rank of each of them. This needs no sort and no hash.
    ids = ids.astype(np.int64, copy=False)
    used = np.zeros(last - first + 1, dtype=bool)
    used[ids - first] = True
    code = np.cumsum(used, dtype=np.int32) - np.int32(1)
    return code[ids - first], pd.Index(np.flatnonzero(used) + first)


def _hash(ids: "np.ndarray | pd.Series") -> tuple[np.ndarray, pd.Index]:
    codes, vocabulary = pd.factorize(ids, sort=True)
    return codes, pd.Index(vocabulary)
