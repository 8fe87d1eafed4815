"""What a model reads in the weights of the interactions."""

from typing import Literal, TypeAlias

import numpy as np
import scipy.sparse as sp

from recvae.shards import Shards

Input: TypeAlias = Literal["binary", "counts"]
"""`binary` sets every weight to 1; `counts` takes them as they are."""


def as_input(matrix: "sp.csr_matrix | Shards", kind: Input = "binary") -> sp.csr_matrix:
    """A CSR matrix with weights of the kind asked for; its structure is shared, not copied.

    Shards give shards that read such weights.
    """
    if kind == "counts":
        return matrix
    if isinstance(matrix, Shards):
        return matrix.as_binary()
    ones = np.ones(matrix.nnz, dtype=np.float32)
    return sp.csr_matrix((ones, matrix.indices, matrix.indptr), shape=matrix.shape)
