"""Ranking: scores of a block of users -> mask what may not be shown -> top-k.

Only one block of users x items exists at a time, whatever the number of users.
Equal scores rank by ascending column, so that a list depends on nothing but its scores.
"""

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import scipy.sparse as sp
import torch

from recvae.data.matrices import of_ones
from recvae.display.progress import progress
from recvae.engine import memory, threads
from recvae.errors import OptionError, TrainingError
from recvae.ranking.blocks import user_blocks
from recvae.ranking.rerank import Reranker
from recvae.ranking.shortlist import Products, Shortlist

Rows: TypeAlias = np.ndarray | sp.csr_matrix
"""What else is known of users: rows in the training matrix int [users], or a CSR row for each."""
Score: TypeAlias = Callable[[sp.csr_matrix, Any], torch.Tensor]
"""(histories [b, items], rows of b or None) -> float32 [b, items], which ranking may overwrite."""

ItemSets: TypeAlias = np.ndarray | Sequence[int] | Sequence[Sequence[int]] | sp.csr_matrix
"""Columns for all users (1-D), or for each user (a sequence of sequences, or CSR)."""

Users: TypeAlias = slice | np.ndarray
Lists: TypeAlias = tuple[np.ndarray, np.ndarray]
"""Columns int64 [users, k] and scores float32 [users, k]."""
Positions: TypeAlias = tuple[slice | torch.Tensor, torch.Tensor]

LIFT = 1e30
"""Added to the scores of pinned items while the best are looked for."""
SHORT = 4
"""So many values for each place of a list, or fewer, are sorted as a whole."""


def top_k(
    score: Score,
    histories: sp.csr_matrix,
    k: int,
    *,
    rows: Rows | None = None,
    exclude_seen: bool = True,
    allow: ItemSets | None = None,
    deny: ItemSets | None = None,
    rerank: Reranker | None = None,
    products: Callable[[], Products | None] = lambda: None,
) -> tuple[np.ndarray, np.ndarray]:
    """Rank the items for each user and keep the k best.

    Args:
        score: scores every item for a block of users.
        histories: CSR [users, items] of what each user has interacted with.
        k: length of the lists, from 1 to the number of items.
        rows: what else is known of the users, passed on to `score`.
        exclude_seen: do not rank the items of the history.
        allow: only these items may be recommended.
        deny: these items may not.
        rerank: makes the lists of longer ones.
        products: gives the scores as inner products, if they are: the same lists, sooner.

    Returns:
        Columns int64 [users, k] and scores float32 [users, k], best first; where fewer than k
        items are left, -1 and -inf.

    Raises:
        OptionError: k is out of range, or an allow or deny list does not fit.
        TrainingError: a score is not a number.
    """
    n_users, n_items = histories.shape
    require_length(k, n_items)
    n_best, pinned = (k, ()) if rerank is None else (rerank.n_best(k), rerank.pinned)
    asked = _Asked(
        score,
        histories,
        rows,
        seen=histories if exclude_seen else None,
        allow=_item_sets(allow, histories.shape, "allow"),
        deny=_item_sets(deny, histories.shape, "deny"),
        pinned=pinned,
    )
    short = exclude_seen and not len(pinned)
    shortlist = Shortlist.of(products, n_users, n_items, n_best) if short else None
    ids = np.empty((n_users, k), dtype=np.int64)
    scores = np.empty((n_users, k), dtype=np.float32)
    blocks = user_blocks(n_users, n_items)
    with ExitStack() as work:
        if len(blocks) > 1:
            work.enter_context(memory.kept())
            work.enter_context(threads.considerate())
        for block in progress(blocks, "ranking", unit="block"):
            best = asked.best(block, n_best, shortlist)
            ids[block], scores[block] = (
                best if rerank is None else rerank(histories[block], *best, k)
            )
    return ids, scores


def require_length(k: int, n_items: int) -> None:
    """Raise OptionError if lists can't be of length k."""
    if not (isinstance(k, int | np.integer) and 1 <= k <= n_items):
        raise OptionError(f"k={k} must be a whole number from 1 to that of the items, {n_items:,}.")


@dataclass(frozen=True, eq=False)
class _Asked:
    """The users who are ranked for, and what may be in their lists: see `top_k`."""

    score: Score
    histories: sp.csr_matrix
    rows: Rows | None
    seen: sp.csr_matrix | None
    allow: np.ndarray | sp.csr_matrix | None
    deny: np.ndarray | sp.csr_matrix | None
    pinned: Sequence[int] | np.ndarray

    def best(self, users: Users, n: int, shortlist: Shortlist | None = None) -> Lists:
        """The n best items of some users."""
        if shortlist is not None:
            return self._best_of_few(users, n, shortlist)
        cells = self.score(*self._of(users))
        self._mask(cells, users)
        return _best(cells, n, self.pinned)

    def _best_of_few(self, users: Users, n: int, shortlist: Shortlist) -> Lists:
        """The same from the scores of a few; from all where others could be as high."""
        histories, rows = self._of(users)
        vectors, extra = shortlist.products.users(histories, rows), shortlist.extra(histories)
        cells, error = shortlist.rough(vectors, extra)
        error[np.diff(histories.indptr) == 0] = torch.inf  # these lists are by popularity
        self._mask(cells, users)
        table, columns, rest = shortlist.candidates(vectors, cells, error, n, extra)
        places, scores = _best(table, n)
        ids = np.where(places < 0, -1, np.take_along_axis(columns, places, axis=1))
        if (unsure := ~(scores[:, -1] >= rest)).any():
            again = np.arange(self.histories.shape[0])[users][unsure]
            ids[unsure], scores[unsure] = self.best(again, n)
        return ids, scores

    def _of(self, users: Users) -> tuple[sp.csr_matrix, Rows | None]:
        """The histories of some users, and what else is known of them."""
        return self.histories[users], None if self.rows is None else self.rows[users]

    def _mask(self, cells: torch.Tensor, users: Users) -> None:
        """Set the scores of items that must not be recommended to -inf, in place."""
        if self.allow is not None:
            where = _positions(self.allow, users, cells.device)
            kept = cells[where].clone()
            cells.fill_(-torch.inf)
            cells[where] = kept
        for items in (self.deny, self.seen):
            if items is not None:
                cells[_positions(items, users, cells.device)] = -torch.inf


def _best(cells: torch.Tensor, k: int, pinned: Sequence[int] | np.ndarray = ()) -> Lists:
    """The k best columns of each user, pinned ones among them, and their scores, [users, k].

    Where there are fewer, -1 and -inf.
    """
    best, columns = _largest(cells, k) if not len(pinned) else _with_pinned(cells, k, pinned)
    if best.isnan().any():
        raise TrainingError("the model scores items as NaN: train it again, more gently.")
    columns[best == -torch.inf] = -1
    return columns.cpu().numpy(), best.cpu().numpy()


def _with_pinned(
    cells: torch.Tensor, k: int, pinned: Sequence[int] | np.ndarray
) -> tuple[torch.Tensor, torch.Tensor]:
    """The pinned columns, then the best of the others, k in all; their scores are their own."""
    lifted = cells.clone()
    lifted[:, pinned] += LIFT
    columns = _largest(lifted, k)[1]
    return cells.gather(1, columns), columns


def _positions(items: np.ndarray | sp.csr_matrix, users: Users, device: torch.device) -> Positions:
    """The entries of some users' item sets, as an index into a tensor [users, items]."""
    if isinstance(items, np.ndarray):
        return slice(None), torch.from_numpy(items).to(device)
    entries = items[users].tocoo(copy=False)
    rows, columns = (part.astype(np.int64) for part in (entries.row, entries.col))
    return torch.from_numpy(rows).to(device), torch.from_numpy(columns).to(device)


def _largest(cells: torch.Tensor, k: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Like `torch.topk`, but of equal values the one in the lowest column comes first."""
    if cells.shape[1] <= SHORT * k:  # a stable sort of all of them says the same, sooner
        best, columns = cells.sort(dim=1, descending=True, stable=True)
        return best[:, :k], columns[:, :k]
    # One value more than asked for. Only if it equals the k-th, `topk` may have chosen the wrong
    # ones of several equal values; such rows are few, and only they are looked at again.
    best, columns = torch.topk(cells, min(k + 1, cells.shape[1]))
    kth, next_best = best[:, k - 1 : k], best[:, k:]
    tied = ((next_best == kth) & (next_best > -torch.inf)).any(dim=1).nonzero()[:, 0]
    best, columns = best[:, :k].contiguous(), columns[:, :k].contiguous()
    if len(tied):
        columns[tied] = _first_of_tied(cells[tied], best[tied], columns[tied])
    # Now the right items are chosen. Order them by column, then by score with a stable sort, which
    # keeps equal scores in the order of their columns.
    columns, order = columns.sort(dim=1)
    best, order = best.gather(1, order).sort(dim=1, descending=True, stable=True)
    return best, columns.gather(1, order)


def _first_of_tied(cells: torch.Tensor, best: torch.Tensor, columns: torch.Tensor) -> torch.Tensor:
    """The k best columns of rows with a tie at the k-th value: the lowest columns of the tie.

    `best` is sorted, so the entries that equal the k-th value are the last ones of each row. They
    are as many as before, but from the lowest columns that have this value.
    """
    k, n_items = columns.shape[1], cells.shape[1]
    # Columns that have the k-th value, in ascending order, then `n_items` for all other columns.
    every = torch.arange(n_items, dtype=torch.int32, device=cells.device)
    first = torch.where(cells == best[:, -1:], every, n_items).topk(k, largest=False).values
    # `last` marks the entries to replace, `room` as many columns from the front of `first`; both
    # go through a row from left to right, so that `masked_scatter` puts each into its place.
    last = best == best[:, -1:]
    room = torch.arange(k, device=cells.device) < last.sum(dim=1, keepdim=True)
    return columns.masked_scatter(last, first[room].long())


def _item_sets(
    items: ItemSets | None, shape: tuple[int, int], name: str
) -> np.ndarray | sp.csr_matrix | None:
    """Item sets as int64 columns if they are for all users, else as bool CSR [users, items]."""
    if items is None:
        return None
    if not sp.issparse(items):
        if not np.iterable(items):
            raise OptionError(f"{name}={items} must be a list of columns.")
        lists = list(items)
        depths = {np.ndim(one) for one in lists}
        if depths <= {0}:
            return as_columns(lists, shape[1], name)
        if depths != {1}:
            raise OptionError(f"{name} must be columns for all users, or a list for each user.")
        items = _as_sparse(lists, shape[1], name)
    members = sp.csr_matrix(items, dtype=bool, copy=True)
    members.eliminate_zeros()
    if members.shape != shape:
        raise OptionError(f"{name} has shape {members.shape}, expected a row per user: {shape}.")
    return members


def _as_sparse(lists: Sequence[Sequence[int]], n_items: int, name: str) -> sp.csr_matrix:
    filled = [np.asarray(one) for one in lists if len(one)]
    columns = as_columns(np.concatenate(filled) if filled else [], n_items, name)
    return of_ones(columns, np.array([len(one) for one in lists], dtype=np.int64), n_items)


def as_columns(columns: Sequence[int] | np.ndarray, n_items: int, name: str) -> np.ndarray:
    """Column numbers as int64; OptionError if they are no whole numbers, or out of range."""
    columns = np.asarray(columns)
    if columns.ndim != 1:
        raise OptionError(f"{name} must be one list of columns.")
    if columns.size and columns.dtype.kind not in "iu":
        raise OptionError(f"{name} holds {columns.dtype} values, expected whole numbers.")
    if columns.size and not (columns.min() >= 0 and columns.max() < n_items):
        raise OptionError(f"{name} must be from 0 to {n_items - 1}.")
    return columns.astype(np.int64)
