"""Inputs: how a model reads the weights of interactions.

Models learn from implicit feedback: what a user has, not what the user thinks of it. Most of them
set all weights to 1; some can use weights such as play counts.
"""

from typing import Literal, TypeAlias

import numpy as np
import scipy.sparse as sp

from recvae.errors import DataError

Input: TypeAlias = Literal["binary", "counts"]
"""`binary` sets every weight to 1; `counts` takes them as they are."""

LEAST, MOST = 1e-15, 1e15
"""The range of weights whose squares can be summed in float32."""


def as_input(matrix: sp.csr_matrix, kind: Input = "binary") -> sp.csr_matrix:
    """A CSR matrix with weights of this kind; it shares its structure with the given matrix.

    Raises:
        DataError: weights are too small or too large to be taken as they are.
    """
    if kind == "counts":
        if matrix.nnz and not (matrix.data.min() >= LEAST and matrix.data.max() <= MOST):
            raise DataError(
                f"weights must be from {LEAST:g} to {MOST:g}, or choose input='binary'."
            )
        return matrix
    ones = np.ones(matrix.nnz, dtype=np.float32)
    return sp.csr_matrix((ones, matrix.indices, matrix.indptr), shape=matrix.shape)
