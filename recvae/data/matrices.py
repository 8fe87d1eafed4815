"""Sparse matrices [users, items]: their checks, their entries, and which of their lines to take."""

import numpy as np
import scipy.sparse as sp

from recvae.errors import DataError, OptionError

HAVE_DUPLICATES = ("coo", "csc", "csr")
"""The sparse formats that can hold several entries for one cell."""


def as_csr(matrix: "sp.spmatrix | sp.sparray") -> sp.csr_matrix:
    """Any sparse matrix as CSR float32 with sorted columns, duplicates summed and no stored zeros.

    Raises:
        DataError: not a sparse matrix, of one axis, or with negative, infinite or missing weights.
    """
    if not sp.issparse(matrix):
        raise DataError(
            f"expected Interactions or a scipy sparse matrix [users, items], got "
            f"{type(matrix).__name__}: use recvae.read_interactions for tables and arrays."
        )
    # To the stubs, spmatrix and sparray lack what all formats have in common.
    n_axes: int = matrix.ndim  # type: ignore[union-attr]
    if n_axes != 2:
        raise DataError(
            f"expected a matrix [users, items], got {n_axes} axis: take a row of a sparse "
            "array as matrix[[0]], not as matrix[0]."
        )
    csr: sp.csr_matrix = sp.csr_matrix(matrix, dtype=np.float32, copy=True)  # type: ignore[call-overload]
    csr.sum_duplicates()
    csr.eliminate_zeros()
    given = matrix.data if matrix.format in HAVE_DUPLICATES else csr.data  # type: ignore[union-attr]
    if (given < 0).any() or not np.isfinite(csr.data).all():
        raise DataError("weights must be finite and not negative: drop or repair those entries.")
    return csr


def sized(matrix: sp.csr_matrix, shape: tuple[int, int]) -> sp.csr_matrix:
    """A matrix with empty rows and columns after its own."""
    indptr = np.pad(matrix.indptr, (0, shape[0] - matrix.shape[0]), mode="edge")
    return sp.csr_matrix((matrix.data, matrix.indices, indptr), shape=shape)


def with_weights(matrix: sp.csr_matrix, weights: np.ndarray) -> sp.csr_matrix:
    """A CSR matrix with other weights [nnz] in the same cells, whose places it shares."""
    return sp.csr_matrix((weights, matrix.indices, matrix.indptr), shape=matrix.shape)


def of_ones(columns: np.ndarray, lengths: np.ndarray, n_columns: int) -> sp.csr_matrix:
    """CSR float32 [rows, n_columns] of ones: row i has the next `lengths[i]` of the columns."""
    cells = np.ones(len(columns), np.float32), columns, np.append(0, np.cumsum(lengths))
    matrix = sp.csr_matrix(cells, shape=(len(lengths), n_columns))
    matrix.sort_indices()
    return matrix


def only(matrix: sp.csr_matrix, kept: np.ndarray) -> sp.csr_matrix:
    """The entries of a CSR matrix that are `kept`; raise OptionError unless it is bool [nnz]."""
    places = marked(kept, matrix.nnz)
    cells = matrix.data[places], matrix.indices[places], np.searchsorted(places, matrix.indptr)
    return sp.csr_matrix(cells, shape=matrix.shape)


def rows_of(matrix: sp.csr_matrix) -> np.ndarray:
    """The row of each entry of a CSR matrix, aligned with its `indices`: int64 [nnz]."""
    return np.repeat(np.arange(matrix.shape[0]), np.diff(matrix.indptr))


def rank_in_rows(matrix: sp.csr_matrix, *values: np.ndarray) -> np.ndarray:
    """The rank of each entry of a CSR matrix in its row, from 0 for the least value: int64 [nnz].

    Of the values, [nnz] each, those before count where the last are equal.
    """
    rows, ranks = rows_of(matrix), np.empty(matrix.nnz, dtype=np.int64)
    ranks[np.lexsort((*values, rows))] = np.arange(matrix.nnz)
    return ranks - matrix.indptr[rows]


def as_numbers(selection: np.ndarray, n: int) -> np.ndarray:
    """The numbers of the lines that a mask or numbers select; OptionError unless they are of n."""
    selection = np.asarray(selection)
    if selection.dtype == bool:
        return marked(selection, n)
    if selection.ndim != 1 or not np.isin(selection, np.arange(n)).all():
        raise OptionError(f"what to take must be whole numbers from 0 to {n - 1:,}, or a mask.")
    return selection.astype(np.int64)


def marked(mask: np.ndarray, n: int) -> np.ndarray:
    """The numbers of what a mask marks; raise OptionError unless it is bool [n]."""
    mask = np.asarray(mask)
    if mask.dtype != bool or mask.shape != (n,):
        raise OptionError(f"a mask must be bool [{n}], got {mask.dtype} {list(mask.shape)}.")
    return np.flatnonzero(mask)


def placed(
    matrix: sp.csr_matrix, rows: np.ndarray, columns: np.ndarray, shape: tuple[int, int]
) -> sp.csr_matrix:
    """A matrix with each of its rows and columns at another place; those at -1 are dropped."""
    cells = matrix.tocoo()
    rows, columns = rows[cells.row], columns[cells.col]
    kept = (rows >= 0) & (columns >= 0)
    entries = cells.data[kept], (rows[kept], columns[kept])
    return sp.csr_matrix(entries, shape=shape)
