"""Shortlist: the few items that can be among a user's best, found by products of 8-bit integers.

Where scores are inner products, both sides rounded to 8 bits make the large product several times
as fast, with an error that has a bound. Only the items that the bound leaves are scored in float32.
So lists are exact: what they differ by is the order in which float32 numbers are added up.
"""

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any, Self, TypeAlias

import numpy as np
import scipy.sparse as sp
import torch

from recvae.engine import devices

UserVectors: TypeAlias = Callable[[sp.csr_matrix, Any], torch.Tensor]
"""(histories [b, items], rows [b] or None) -> float32 [b, width]."""
Extra: TypeAlias = Callable[[sp.csr_matrix], sp.csr_matrix]
"""histories [b, items] -> CSR float32 [b, items]."""

LEVELS = 127
"""How many steps a rounded number has on each side of 0."""
MARGIN = 1.1
"""How many error bounds below a likely k-th score items are still candidates."""
GROUP, GROUPS = 16, 8
"""How many items at most, for a first look, are one; how many groups there are for each place."""
MOST = 8
"""How many candidates there may be for each place of a list: with more, the bound says nothing."""
LEAST_USERS = 200
"""It does not pay to round all items for fewer users."""
ROWS = 512
"""How many items are rounded at once, so that they stay in the cache."""
INFO = torch.finfo(torch.float32)


@dataclass(frozen=True, eq=False)
class Products:
    """Scores that are inner products, of the items that a user does not have.

    Attributes:
        users: gives the vectors of a block of users.
        items: float32 [items, width], the items' vectors.
        biases: float32 [items], which are added.
        extra: gives what else is added for some items of a block of users; None for nothing.
    """

    users: UserVectors
    items: torch.Tensor
    biases: torch.Tensor
    extra: Extra | None = None


class Shortlist:
    """The items of `Products`, rounded, each with a scale of its own."""

    @classmethod
    def of(
        cls, products: Callable[[], Products | None], n_users: int, n_items: int, k: int
    ) -> Self | None:
        """A shortlist for lists of length k; None where that does not pay, or can't be made.

        A process that has the vectors of a part of the items only has none.
        """
        if n_users < LEAST_USERS or n_items < GROUPS * k:
            return None
        given = products()
        if given is None or len(given.items) < n_items:
            return None
        return cls(given) if devices.multiplies_int8(given.items.device) else None

    def __init__(self, products: Products) -> None:
        self.products = products
        parts = [_rounded(part) for part in torch.split(products.items, ROWS)]
        levels, scales, lost = zip(*parts, strict=True)
        # Transposed by a copy: of one column, torch would take the stride of a view for 1.
        self._levels = torch.cat([part.T for part in levels], dim=1)
        self._scales, self._lost = torch.cat(scales)[:, 0], torch.cat(lost).max()
        self._length = products.items.norm(dim=1).max()
        self._bias = products.biases.abs().max()

    def extra(self, histories: sp.csr_matrix) -> sp.csr_matrix | None:
        """What is added for some items of a block of users: CSR [users, items]."""
        return None if self.products.extra is None else self.products.extra(histories)

    def rough(
        self, vectors: torch.Tensor, extra: sp.csr_matrix | None = None
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Scores float32 [users, items], and how far off those of a user can be: [users].

        For vectors u and i that were rounded to v and j, by Cauchy and Schwarz,
        |u'i - v'j| <= |u - v| |i| + |v| |i - j|. What float32 itself can lose is added. What is
        added for some items, CSR [users, items], is exact.
        """
        levels, scales, lost = _rounded(vectors)
        cells = torch._int_mm(levels, self._levels).float().mul_(self._scales)
        torch.addcmul(self.products.biases, cells, scales, out=cells)
        length, added = vectors.norm(dim=1) + lost, self._bias
        if extra is not None:
            _add_(cells, extra)
            added = added + float(np.abs(extra.data).max(initial=0))
        own = (vectors.shape[1] + GROUP) * INFO.eps * (length * self._length + added)
        return cells, lost * self._length + length * self._lost + own

    def candidates(
        self,
        vectors: torch.Tensor,
        cells: torch.Tensor,
        error: torch.Tensor,
        k: int,
        extra: sp.csr_matrix | None = None,
    ) -> tuple[torch.Tensor, np.ndarray, np.ndarray]:
        """The scores of items that are likely to hold the k best, and what others can have at most.

        Args:
            vectors: float32 [users, width].
            cells: float32 [users, items] from `rough`; -inf where an item may not be shown.
            error: float32 [users] from `rough`; inf for a user without a shortlist.
            k: length of the lists.
            extra: CSR [users, items], what is added for some items.

        Returns:
            Scores float32 [users, most], filled up with -inf; their columns int64 [users, most],
            ascending; float32 [users], what all other items score less than.
        """
        n_items = cells.shape[1]
        size = min(GROUP, n_items // (GROUPS * k))
        whole = cells[:, : n_items // size * size]
        groups = torch.unflatten(whole, 1, (size, -1)).amax(dim=1)
        # k groups hold an item of at least this rough score, so that the k-th is no lower.
        kth, bound = np.partition(groups.numpy(), -k, axis=1)[:, -k], error.numpy()
        least = np.where(np.isfinite(bound), (kth - MARGIN * bound).clip(INFO.min), np.inf)
        rows, columns = np.divmod(np.flatnonzero(cells.numpy() >= least[:, None]), n_items)
        few = np.bincount(rows, minlength=len(least)) <= MOST * k
        rows, columns = rows[few[rows]], columns[few[rows]]
        rest = np.where(least > INFO.min, least + bound, -np.inf)
        pairs = torch.from_numpy(rows), torch.from_numpy(columns)
        exact = self._score(vectors, *pairs)
        if extra is not None and len(rows):  # of no places at all, SciPy gives a matrix
            exact += torch.from_numpy(extra[rows, columns].A1)
        scores, columns = _table(exact, *pairs, len(vectors), k)
        return scores, columns, np.where(few, rest, np.inf)

    def _score(
        self, vectors: torch.Tensor, rows: torch.Tensor, columns: torch.Tensor
    ) -> torch.Tensor:
        """The scores of pairs of users, ascending, and items: [pairs]."""
        items, zeros = self.products.items, vectors.new_zeros(len(columns))
        shape = len(vectors), len(items)
        wanted = _sparse(_offsets(rows, len(vectors)), columns, zeros, shape)
        found = torch.sparse.sampled_addmm(wanted, vectors, items.T, beta=0.0)
        return found.values() + self.products.biases[columns]


def _add_(cells: torch.Tensor, extra: sp.csr_matrix) -> None:
    """Add CSR [users, items] to scores of the same shape, in place."""
    offsets, columns, added = map(torch.from_numpy, (extra.indptr, extra.indices, extra.data))
    cells.add_(_sparse(offsets, columns, added, extra.shape))


def _sparse(
    offsets: torch.Tensor, columns: torch.Tensor, values: torch.Tensor, shape: tuple[int, int]
) -> torch.Tensor:
    """A CSR tensor whose parts are right: they are not checked."""
    _say_it_once()
    return torch.sparse_csr_tensor(offsets, columns, values, shape, check_invariants=False)


def _table(
    scores: torch.Tensor, rows: torch.Tensor, columns: torch.Tensor, n_rows: int, least: int
) -> tuple[torch.Tensor, np.ndarray]:
    """Scores and columns of pairs as tables, with at least so many places a row."""
    offsets = _offsets(rows, n_rows)
    most = max(least, *offsets.diff().tolist())
    places = rows, torch.arange(len(rows)) - offsets[rows]
    table = scores.new_full((n_rows, most), -torch.inf).index_put_(places, scores)
    return table, columns.new_zeros(n_rows, most).index_put_(places, columns).numpy()


def _offsets(rows: torch.Tensor, n_rows: int) -> torch.Tensor:
    """Where each row begins among ascending ones: [n_rows + 1]."""
    return torch.searchsorted(rows, torch.arange(n_rows + 1))


def _rounded(vectors: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Vectors as int8 [n, width] times scales [n, 1], and the length of what is lost: [n]."""
    largest = vectors.abs().amax(dim=1, keepdim=True)
    scales = largest.clamp(min=LEVELS * INFO.tiny) / LEVELS
    levels = (vectors / scales).round_()
    return levels.to(torch.int8), scales, (vectors - levels * scales).norm(dim=1)


@cache
def _say_it_once() -> None:
    """Let torch say, unheard, that its CSR tensors are in beta."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.eye(1).to_sparse_csr()
