"""What a model reads in the weights of the interactions."""

from typing import Literal, TypeAlias

import numpy as np
import scipy.sparse as sp

from recvae.errors import DataError
from recvae.shards import Shards

Input: TypeAlias = Literal["binary", "counts"]
"""`binary` sets every weight to 1; `counts` takes them as they are."""

LEAST, MOST = 1e-15, 1e15
"""Weights whose squares can be summed in float32."""


def as_input(matrix: "sp.csr_matrix | Shards", kind: Input = "binary") -> sp.csr_matrix:
    """A CSR matrix with weights of the kind asked for; its structure is shared, not copied.

    Shards give shards that read such weights.

    Raises:
        DataError: weights are too small or too large to be taken as they are.
    """
    if isinstance(matrix, Shards) and kind == "counts":
        for part in matrix:
            _require_moderate(part.matrix)
        return matrix
    if isinstance(matrix, Shards):
        return matrix.as_binary()
    if kind == "counts":
        _require_moderate(matrix)
        return matrix
    ones = np.ones(matrix.nnz, dtype=np.float32)
    return sp.csr_matrix((ones, matrix.indices, matrix.indptr), shape=matrix.shape)


def _require_moderate(matrix: sp.csr_matrix) -> None:
    if matrix.nnz and not (matrix.data.min() >= LEAST and matrix.data.max() <= MOST):
        raise DataError(f"weights must be from {LEAST:g} to {MOST:g}, or choose input='binary'.")
