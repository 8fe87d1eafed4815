"""What a model reads in the weights of the interactions."""

from functools import partial
from typing import Literal, TypeAlias

import numpy as np
import scipy.sparse as sp

from recvae.data.shards import Shards
from recvae.errors import DataError

Input: TypeAlias = Literal["binary", "counts"]
"""`binary` sets every weight to 1; `counts` takes them as they are."""

LEAST, MOST = 1e-15, 1e15
"""Weights whose squares can be summed in float32."""


def as_input(matrix: "sp.csr_matrix | Shards", kind: Input = "binary") -> sp.csr_matrix:
    """A CSR matrix with weights of the kind asked for; its structure is shared, not copied.

    Shards give shards that read such weights, and raise likewise as they are read.

    Raises:
        DataError: weights are too small or too large to be taken as they are.
    """
    if isinstance(matrix, Shards):
        return matrix.weighed(partial(as_input, kind=kind))
    if kind == "counts":
        if matrix.nnz and not (matrix.data.min() >= LEAST and matrix.data.max() <= MOST):
            raise DataError(
                f"weights must be from {LEAST:g} to {MOST:g}, or choose input='binary'."
            )
        return matrix
    ones = np.ones(matrix.nnz, dtype=np.float32)
    return sp.csr_matrix((ones, matrix.indices, matrix.indptr), shape=matrix.shape)
