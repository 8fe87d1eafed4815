"""Features: what is known of items before anyone has them, as sparse numbers."""

from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np
import pandas as pd
import scipy.sparse as sp

from recvae.data.labels import bags, require_column
from recvae.errors import DataError, OptionError

FeatureSource: TypeAlias = Sequence[str] | np.ndarray | sp.spmatrix | sp.sparray
"""Names of columns of the items' table, or vectors [items, features] of one's own."""

KNOTS = 10
"""How many quantiles a column of numbers is read by."""
RARE = 2
"""A label or word that fewer known items have says nothing of others."""


def encode_features(items: pd.DataFrame, given: FeatureSource, known: np.ndarray) -> sp.csr_matrix:
    """Encode what is known of items. What a column can say is learnt from the known items only.

    A column of numbers is how near a value is to two of their quantiles. Text is a bag of labels
    if a value has a bar ("Comedy|Drama") or if half of the values are there twice, else a bag of
    words; both are weighed by TF-IDF. Each column has length 1 for each item, 0 where it is
    missing.

    Args:
        items: a line per item.
        given: names of columns, or vectors [items, features].
        known: bool [items], the items with interactions.

    Returns:
        CSR float32 [items, features].

    Raises:
        OptionError: there is no such column.
        DataError: vectors are not one finite line for each item, or nothing is known of an item
            that has interactions.
    """
    names = column_names(given)
    if names is None:
        parts = [_vectors(given, len(items))]
    else:
        parts = [_encoded(items, name, known) for name in _checked(names, items)]
    features = sp.hstack([unit_rows(part) for part in parts]).tocsr().astype(np.float32)
    if not features[known].nnz:
        raise DataError("nothing is known of the items that have interactions: name more columns.")
    return features


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
        DataError: see `encode_features`; or vectors have not as many numbers as before.
    """
    if given is not None and column_names(given) is not None:
        return encode_features(items, given, known)
    if given is None and len(items) == features.shape[0]:
        return features
    if given is None:
        raise OptionError("item_features has no vectors of the new items: give a line for each.")
    told = unit_rows(_vectors(given, len(places))).astype(np.float32)
    if told.shape[1] != features.shape[1]:
        raise DataError(f"vectors have {told.shape[1]} numbers, not {features.shape[1]} as before.")
    lines = np.arange(len(items))
    lines[places] = features.shape[0] + np.arange(len(places))
    return sp.vstack([features, told], format="csr")[lines]


def column_names(given: FeatureSource | None) -> list[str] | None:
    """The columns that are named; None if vectors are given, or nothing."""
    if given is None or isinstance(given, np.ndarray | sp.spmatrix | sp.sparray):
        return None
    return [given] if isinstance(given, str) else list(given)


def _checked(names: list[str], items: pd.DataFrame) -> list[str]:
    for name in names:
        require_column(items, name)
    if not names:
        raise OptionError("item_features names no column.")
    return names


def _vectors(given: Any, n_items: int) -> sp.csr_matrix:
    vectors: sp.csr_matrix = sp.csr_matrix(given, dtype=np.float32)
    if vectors.shape[0] != n_items or not np.isfinite(vectors.data).all():
        raise DataError(
            f"item_features has {vectors.shape[0]:,} lines: give finite numbers, a line for each "
            f"of {n_items:,} items."
        )
    return vectors


def _encoded(items: pd.DataFrame, name: str, known: np.ndarray) -> sp.csr_matrix:
    column = items[name].reset_index(drop=True)
    told = column.dropna()
    if len(told) and np.ndim(told.iloc[0]):
        vectors = np.zeros((len(items), len(told.iloc[0])), np.float32)
        vectors[told.index] = np.stack([np.asarray(value) for value in told])
        return _vectors(vectors, len(items))
    if pd.api.types.is_numeric_dtype(column):
        return _near_quantiles(column.to_numpy(np.float64, na_value=np.nan), known)
    return _bags(column.astype("string"), known)


def _near_quantiles(values: np.ndarray, known: np.ndarray) -> sp.csr_matrix:
    """How near [items, quantiles] values are to the quantiles around them, from 0 to 1."""
    values = np.where(np.isfinite(values), values, np.nan)
    seen = values[known & ~np.isnan(values)]
    if not len(seen):
        return sp.csr_matrix((len(values), 0))
    knots = np.unique(np.quantile(seen, np.linspace(0, 1, KNOTS)))
    near = [np.interp(values, knots, hat) for hat in np.eye(len(knots))]
    return sp.csr_matrix(np.nan_to_num(np.stack(near, axis=1)))


def _bags(texts: pd.Series, known: np.ndarray) -> sp.csr_matrix:
    """TF-IDF [items, tokens] of labels or words."""
    are_labels = texts.str.contains("|", regex=False).any() or (
        texts.nunique() <= texts.notna().sum() / 2
    )
    cut = texts.str.split("|") if are_labels else texts.str.lower().str.findall(r"\w+")
    counts = bags(cut)
    frequency = counts[known].getnnz(axis=0)
    kept = frequency >= RARE
    counts = counts[:, kept]
    counts.data = 1 + np.log(counts.data)
    return counts @ sp.diags(1 + np.log(known.sum() / frequency[kept]))


def unit_rows(vectors: "np.ndarray | sp.csr_matrix") -> Any:
    """Rows of length 1; those of length 0 stay as they are."""
    squares = vectors.multiply(vectors) if sp.issparse(vectors) else vectors**2
    lengths = np.sqrt(np.asarray(squares.sum(axis=1)).ravel())
    return sp.diags(1 / np.where(lengths > 0, lengths, 1)) @ vectors
