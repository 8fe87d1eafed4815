"""Ranking: scores of a block of users -> mask what may not be shown -> top-k.

Only one block of users x items exists at a time, whatever the number of users.
Equal scores rank by ascending column, so that a list depends on nothing but its scores.
"""

from collections.abc import Callable, Sequence
from typing import TypeAlias

import numpy as np
import scipy.sparse as sp
import torch

from recvae.errors import OptionError
from recvae.progress import progress

Score: TypeAlias = Callable[[sp.csr_matrix, np.ndarray | None], torch.Tensor]
"""(histories [b, items], rows [b] or None) -> float32 [b, items], which ranking may overwrite."""

ItemSets: TypeAlias = np.ndarray | Sequence[int] | Sequence[Sequence[int]] | sp.csr_matrix
"""Columns for all users (1-D), or for each user (a sequence of sequences, or CSR)."""

Positions: TypeAlias = tuple[slice | torch.Tensor, torch.Tensor]

BLOCK_CELLS = 2**24
MAX_BLOCK_USERS = 4096


def top_k(
    score: Score,
    histories: sp.csr_matrix,
    k: int,
    *,
    rows: np.ndarray | None = None,
    exclude_seen: bool = True,
    allow: ItemSets | None = None,
    deny: ItemSets | None = None,
    label: str = "ranking",
) -> tuple[np.ndarray, np.ndarray]:
    """Rank the items for each user and keep the k best.

    Args:
        score: scores every item for a block of users.
        histories: CSR [users, items] of what each user has interacted with.
        k: length of the lists, from 1 to the number of items.
        rows: int [users], the users' rows in the training matrix, passed on to `score`.
        exclude_seen: leave out the items of the history.
        allow: only these items may be recommended.
        deny: these items may not.
        label: what the progress bar says.

    Returns:
        Columns int64 [users, k] and scores float32 [users, k], best first; where fewer than k
        items are left, -1 and -inf.

    Raises:
        OptionError: k is out of range, or an allow or deny list does not fit.
    """
    n_users, n_items = histories.shape
    if not 1 <= k <= n_items:
        raise OptionError(f"k={k} must be from 1 to the number of items, {n_items:,}.")
    allow = _item_sets(allow, histories.shape, "allow")
    deny = _item_sets(deny, histories.shape, "deny")
    ids = np.empty((n_users, k), dtype=np.int64)
    scores = np.empty((n_users, k), dtype=np.float32)
    size = max(1, min(BLOCK_CELLS // n_items, MAX_BLOCK_USERS))
    for start in progress(range(0, n_users, size), label, unit="block"):
        block = slice(start, start + size)
        cells = score(histories[block], None if rows is None else rows[block])
        if allow is not None:
            _keep_only(cells, _positions(allow, block, cells.device))
        if deny is not None:
            cells[_positions(deny, block, cells.device)] = -torch.inf
        if exclude_seen:
            cells[_positions(histories, block, cells.device)] = -torch.inf
        best, columns = _largest(cells, k)
        columns[best == -torch.inf] = -1
        ids[block], scores[block] = columns.cpu().numpy(), best.cpu().numpy()
    return ids, scores


def _keep_only(cells: torch.Tensor, where: Positions) -> None:
    kept = cells[where].clone()
    cells.fill_(-torch.inf)
    cells[where] = kept


def _positions(items: np.ndarray | sp.csr_matrix, block: slice, device: torch.device) -> Positions:
    """The cells of a block that item sets name, as an index for a tensor [users, items]."""
    if isinstance(items, np.ndarray):
        return slice(None), torch.from_numpy(items).to(device)
    part = items[block]
    rows = np.repeat(np.arange(part.shape[0]), np.diff(part.indptr))
    columns = part.indices.astype(np.int64)
    return torch.from_numpy(rows).to(device), torch.from_numpy(columns).to(device)


def _largest(cells: torch.Tensor, k: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Like `torch.topk`, with equal values in ascending column order."""
    best, columns = torch.topk(cells, min(k + 1, cells.shape[1]))
    tied = torch.nonzero(best[:, k] == best[:, k - 1])[:, 0] if best.shape[1] > k else []
    best, columns = best[:, :k].contiguous(), columns[:, :k].contiguous()
    if len(tied):
        columns[tied] = _first_of_tied(cells[tied], best[tied, -1:], k)
        best[tied] = cells[tied].gather(1, columns[tied])
    columns, order = columns.sort(dim=1)
    best, order = best.gather(1, order).sort(dim=1, descending=True, stable=True)
    return best, columns.gather(1, order)


def _first_of_tied(cells: torch.Tensor, kth: torch.Tensor, k: int) -> torch.Tensor:
    """The columns of the k largest cells, ascending, where more than k reach the k-th value."""
    above, equal = cells > kth, cells == kth
    room = k - above.sum(dim=1, keepdim=True)
    chosen = above | (equal & (equal.cumsum(dim=1) <= room))
    return chosen.nonzero()[:, 1].view(len(cells), k)


def _item_sets(
    items: ItemSets | None, shape: tuple[int, int], name: str
) -> np.ndarray | sp.csr_matrix | None:
    """Item sets as int64 columns for all users, or as CSR [users, items]."""
    if items is None:
        return None
    n_users, n_items = shape
    if not sp.issparse(items):
        lists = list(items)
        if not any(np.ndim(one) for one in lists):
            return _checked(np.asarray(lists, dtype=np.int64), n_items, name)
        lengths = [len(one) for one in lists]
        columns = _checked(np.concatenate(lists).astype(np.int64), n_items, name)
        indptr = np.concatenate([[0], np.cumsum(lengths)])
        items = sp.csr_matrix(
            (np.ones(len(columns), dtype=bool), columns, indptr), shape=(len(lists), n_items)
        )
    if items.shape != shape:
        raise OptionError(
            f"{name} has shape {items.shape}, expected one row per user: {(n_users, n_items)}."
        )
    return sp.csr_matrix(items)


def _checked(columns: np.ndarray, n_items: int, name: str) -> np.ndarray:
    if len(columns) and not (columns.min() >= 0 and columns.max() < n_items):
        raise OptionError(f"{name} names columns outside of 0..{n_items - 1}.")
    return columns
