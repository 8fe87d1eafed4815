"""Features: what is known of items before anyone has them, or of users, as sparse numbers."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self, TypeAlias

import numpy as np
import pandas as pd
import scipy.sparse as sp

from recvae.data.item_info import bags, require_column
from recvae.errors import DataError, OptionError

Vectors: TypeAlias = np.ndarray | sp.spmatrix | sp.sparray
FeatureSource: TypeAlias = Sequence[str] | Vectors
"""Names of columns of a table of items or users, or vectors [lines, features] of one's own."""

KNOTS = 10
"""How many quantiles a column of numbers is read by."""
RARE = 2
"""A label or word that fewer known lines have says nothing of others."""
KINDS = NUMBERS, LABELS, WORDS, VECTORS = "numbers", "labels", "words", "vectors"


@dataclass(frozen=True, eq=False)
class Features:
    """What is known of items, or of users, encoded by what the known ones have taught.

    A column of numbers is how near a value is to two of their quantiles. Text is a bag of labels
    if a value has a bar ("Comedy|Drama") or if half of the values are there twice, else a bag of
    words; both are weighed by TF-IDF. Each column has length 1 in each line, 0 where it is
    missing.

    Attributes:
        table: a line per feature, those of a column together: the `column`, "" for vectors that
            are none; its `kind`; the `token`, "" where there is none; the `value` of a quantile, or
            the weight of a token.
    """

    table: pd.DataFrame

    @classmethod
    def learn(
        cls, lines: pd.DataFrame, given: FeatureSource, known: np.ndarray
    ) -> tuple[Self, sp.csr_matrix]:
        """Learn what can be said from the known lines, bool [lines], and encode all.

        Args:
            lines: a line per item, or per user.
            given: names of columns, or vectors [lines, features].
            known: which have interactions.

        Returns:
            The features, and CSR float32 [lines, features].

        Raises:
            OptionError: there is no such column.
            DataError: vectors are not finite, or not a line for each; or nothing is known.
        """
        source: Any = given
        if (names := column_names(given)) is None:
            features = cls(_vectors_of(source.shape[1]))
        else:
            if not names:
                raise OptionError("this names no column of features.")
            for name in names:
                require_column(lines, name)
            parts = [_learnt(name, lines[name][known]) for name in names]
            features, source = cls(pd.concat(parts, ignore_index=True)), lines
        encoded = features.encode(source)
        _require_lines(encoded, len(lines))
        if not encoded[known].nnz:
            raise DataError("nothing is known of what has interactions: name more columns.")
        return features, encoded

    @property
    def columns(self) -> list[str]:
        """The names of the columns."""
        return [name for name in self.table["column"].unique() if name]

    @property
    def table_columns(self) -> list[str]:
        """The names of the columns, if all features are of a table; none if some are of vectors."""
        return [] if (self.table["kind"] == VECTORS).any() else self.columns

    @classmethod
    def restore(cls, table: pd.DataFrame | None) -> Self:
        """Take a saved table back; raise ValueError if it is none of features."""
        if table is None or list(table) != ["column", "kind", "token", "value"]:
            raise ValueError("the table of features is missing or another")
        kinds = table.groupby("column")["kind"].nunique()
        sound = table["kind"].isin(KINDS) & np.isfinite(table["value"])
        if not sound.all() or (kinds > 1).any():
            raise ValueError("the table of features is damaged")
        return cls(table)

    def encode(self, lines: "pd.DataFrame | Vectors") -> sp.csr_matrix:
        """Encode a line per item, or per user: CSR float32 [lines, features].

        Raises:
            OptionError: a column is missing.
            DataError: a column, or the vectors, are not like those that were learnt from.
        """
        given: Any = lines
        parts: list[Any] = [np.empty((given.shape[0], 0), dtype=np.float32)]
        for name, part in self.table.groupby("column", sort=False):
            parts.append(unit_rows(_encoded(_column(lines, str(name)), part)))
        return sp.hstack(parts).tocsr().astype(np.float32)


def with_new_features(
    features: sp.csr_matrix,
    items: pd.DataFrame,
    given: FeatureSource | None,
    known: np.ndarray,
    places: np.ndarray,
) -> sp.csr_matrix:
    """Encode what is known of more items.

    Args:
        features: encoded features of the first of them.
        items: a line per item.
        given: names of columns, or vectors of the items at `places`; None keeps the features.
        known: bool [items], the items with interactions.
        places: of the new items and of those whose vectors are other ones now.

    Raises:
        OptionError: nothing is given, and there are new items.
        DataError: see `Features.learn`; or vectors have not as many numbers as before.
    """
    if given is None:
        if len(items) == features.shape[0]:
            return features
        raise OptionError("item_features has no vectors of the new items: give a line for each.")
    if column_names(given) is not None:
        return Features.learn(items, given, known)[1]
    told = unit_rows(_vectors(given, features.shape[1])).astype(np.float32)
    _require_lines(told, len(places))
    lines = np.arange(len(items))
    lines[places] = features.shape[0] + np.arange(len(places))
    return sp.vstack([features, told], format="csr")[lines]


def column_names(given: FeatureSource | None) -> list[str] | None:
    """The columns that are named; None if vectors are given, or nothing."""
    if given is None or isinstance(given, np.ndarray | sp.spmatrix | sp.sparray):
        return None
    return [given] if isinstance(given, str) else list(given)


def _require_lines(encoded: sp.csr_matrix, n_lines: int) -> None:
    if encoded.shape[0] != n_lines:
        raise DataError(
            f"there are vectors of {encoded.shape[0]:,}, not of {n_lines:,}: give a line for each."
        )


def _learnt(name: str, known: pd.Series) -> pd.DataFrame:
    """The features of a column of known lines."""
    told = known.dropna()
    if len(told) and np.ndim(told.iloc[0]):
        return _vectors_of(len(told.iloc[0]), name)
    if pd.api.types.is_numeric_dtype(known):
        values = _numbers(known)
        seen = values[~np.isnan(values)]
        knots = np.unique(np.quantile(seen, np.linspace(0, 1, KNOTS))) if len(seen) else seen
        return _table(name, NUMBERS, knots)
    texts = known.astype("string")
    are_labels = texts.str.contains("|", regex=False).any() or (
        texts.nunique() <= texts.notna().sum() / 2
    )
    kind = LABELS if are_labels else WORDS
    counts, tokens = bags(_cut(texts, kind))
    frequency = counts.getnnz(axis=0)
    kept = frequency >= RARE
    return _table(name, kind, 1 + np.log(len(known) / frequency[kept]), tokens[kept])


def _vectors_of(width: int, name: str = "") -> pd.DataFrame:
    return _table(name, VECTORS, np.ones(width))


def _table(name: str, kind: str, values: np.ndarray, tokens: Any = "") -> pd.DataFrame:
    return pd.DataFrame(
        {"column": name, "kind": kind, "token": tokens, "value": values.astype(np.float64)}
    )


def _column(lines: "pd.DataFrame | Vectors", name: str) -> Any:
    """A column by its name, or the vectors that have none."""
    is_table = isinstance(lines, pd.DataFrame)
    if is_table == (name == ""):
        raise DataError(f"expected {f'a table with the column {name!r}' if name else 'vectors'}.")
    if isinstance(lines, pd.DataFrame):
        require_column(lines, name)
        return lines[name]
    return lines


def _encoded(column: Any, part: pd.DataFrame) -> sp.csr_matrix:
    kind, values = part["kind"].iloc[0], part["value"].to_numpy()
    if kind == VECTORS:
        return _vectors(column, len(values))
    if kind == NUMBERS:
        return _near_quantiles(_numbers(column), values)
    counts, _ = bags(_cut(column.astype("string"), kind), pd.Index(part["token"]))
    counts.data = 1 + np.log(counts.data)
    return counts @ sp.diags(values)


def _vectors(given: Any, width: int) -> sp.csr_matrix:
    if isinstance(given, pd.Series):
        given = np.stack([row if np.ndim(row) else np.zeros(width) for row in given])
    vectors: sp.csr_matrix = sp.csr_matrix(given, dtype=np.float32)
    if vectors.shape[1] != width or not np.isfinite(vectors.data).all():
        raise DataError(f"vectors must have {width:,} finite numbers each.")
    return vectors


def _numbers(column: pd.Series) -> np.ndarray:
    """Numbers as float64, NaN where they are missing or infinite."""
    try:
        values = column.to_numpy(np.float64, na_value=np.nan)
    except (TypeError, ValueError) as error:
        raise DataError(f"column {column.name!r} must have numbers: {error}.") from None
    return np.where(np.isfinite(values), values, np.nan)


def _near_quantiles(values: np.ndarray, knots: np.ndarray) -> sp.csr_matrix:
    """How near [lines, quantiles] values are to the quantiles around them, from 0 to 1."""
    # Each quantile has a hat: 1 at itself, down to 0 at the quantiles on both sides of it.
    near = [np.interp(values, knots, hat) for hat in np.eye(len(knots))]
    return sp.csr_matrix(np.nan_to_num(np.stack(near, axis=1)))


def _cut(texts: pd.Series, kind: str) -> pd.Series:
    """Texts as lists of labels or words."""
    texts = texts.reset_index(drop=True)
    return texts.str.split("|") if kind == LABELS else texts.str.lower().str.findall(r"\w+")


def unit_rows(vectors: "np.ndarray | sp.csr_matrix") -> Any:
    """Rows of length 1; those of length 0 stay as they are."""
    squares = vectors.multiply(vectors) if sp.issparse(vectors) else vectors**2
    lengths = np.sqrt(np.asarray(squares.sum(axis=1)).ravel())
    return sp.diags(1 / np.where(lengths > 0, lengths, 1)) @ vectors
