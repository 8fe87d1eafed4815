"""Inputs: how a model reads the weights of interactions.

Models learn from implicit feedback: what a user has, not what the user thinks of it. Most of them
set all weights to 1; some can use weights such as play counts. A history that is ranked for can be
weighed by how recent its parts are: then its weights say their order, see `Interactions.in_order`.
"""

import warnings
from typing import Literal, TypeAlias

import numpy as np
import pandas as pd
import scipy.sparse as sp

from recvae.data.matrices import rows_of, with_weights
from recvae.errors import DataError

Input: TypeAlias = Literal["binary", "counts"]
"""`binary` sets every weight to 1; `counts` takes them as they are."""

LEAST, MOST = 1e-15, 1e15
"""The range of weights whose squares can be summed in float32."""


class MissingWeightsWarning(UserWarning):
    """A model that reads weights, or the order, was given histories without."""


def as_input(matrix: sp.csr_matrix, kind: Input = "binary") -> sp.csr_matrix:
    """A CSR matrix with weights of this kind; it shares its structure with the given matrix."""
    if kind == "counts":
        if matrix.nnz and not (matrix.data.min() >= LEAST and matrix.data.max() <= MOST):
            raise DataError(
                f"weights must be from {LEAST:g} to {MOST:g}, or choose input='binary'."
            )
        return matrix
    return with_weights(matrix, np.ones(matrix.nnz, dtype=np.float32))


def recent(histories: sp.csr_matrix, half_life: float) -> sp.csr_matrix:
    """Weigh each entry by 2^(-n / half_life), where n entries of its row have a higher weight.

    The weights of histories, CSR [users, items], grow from the earlier to the later.
    """
    # Of the weights of a row, from the highest down, equal ones have the rank of the first of them.
    downwards = pd.Series(-histories.data).groupby(rows_of(histories)).rank(method="min")
    later = downwards.to_numpy(np.float32) - 1
    return with_weights(histories, np.exp2(-later / np.float32(half_life)))


def warn_if_unweighted(name: str, histories: sp.csr_matrix) -> None:
    """Warn that a model reads weights, if all weights of the histories are 1."""
    if (histories.data == 1).all():
        warnings.warn(
            f"this {name} reads weights (input='counts'), and no column of them was named by "
            "value=...: each line counts as 1.",
            MissingWeightsWarning,
            stacklevel=3,
        )


def warn_of_no_order(name: str) -> None:
    """Warn that a model reads the order of histories that have none."""
    warnings.warn(
        f"this {name} reads the order of a history, and no column of times was named by "
        "timestamp=...: all of it counts as equally recent.",
        MissingWeightsWarning,
        stacklevel=3,
    )
