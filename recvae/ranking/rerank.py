"""Rerank: fills lists from the best items of a ranking, by more than their scores.

A list is filled place by place. Each time it gets the candidate that is worth most:

    product of all (1 - |weight|) * z(score) + sum of all gains

where z subtracts the mean over the user's candidates and divides by their standard deviation. A
step has a weight and says what each candidate gains, given what is in the list so far.
"""

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar, Protocol

import numpy as np
import pandas as pd
import scipy.sparse as sp

from recvae.data.ids import look_up
from recvae.data.item_info import item_labels, require_column
from recvae.errors import OptionError

POOL = 200
"""At least this many of the best items, and twice as many as a list has, are candidates."""
SMOOTHING = 0.01
"""How much of the history's shares `Calibration` mixes into those of a list, as Steck (2018)."""
TINY = np.finfo(np.float32).tiny
ABOVE_ALL = 1e9
"""What a pinned item gains: more than all else together."""


class ItemTable:
    """What is known of the items, as arrays that are made when a step first asks."""

    def __init__(self, items: pd.DataFrame, counts: np.ndarray) -> None:
        self._items, self._counts = items, counts
        self._labels: dict[str, sp.csr_matrix] = {}
        self.n_items = len(items)

    def labels(self, column: str) -> sp.csr_matrix:
        """The labels of each item: CSR float32 [items, labels], see `item_labels`."""
        if column not in self._labels:
            self._labels[column] = item_labels(self._items, column)
        return self._labels[column]

    def numbers(self, column: str | None) -> np.ndarray:
        """A column of numbers, missing and infinite ones as the mean; None for log(1 + users)."""
        if column is None:
            return np.log1p(self._counts)
        require_column(self._items, column)
        values = self._items[column]
        if not pd.api.types.is_numeric_dtype(values):
            raise OptionError(f"column {column!r} of the items must be of numbers, to boost by it.")
        numbers = values.to_numpy(np.float64, na_value=np.nan)
        known = np.isfinite(numbers)
        return np.where(known, numbers, numbers[known].mean() if known.any() else 0)

    def columns(self, ids: Sequence[int | str]) -> np.ndarray:
        """The columns int64 of items with these raw ids; OptionError if one is unknown."""
        if isinstance(ids, str) or not np.iterable(ids):
            raise OptionError(f"{ids!r} must be a list of raw ids of items to pin.")
        index = pd.Index(list(ids)).unique()
        columns = look_up(index, self._items.index)
        if (columns < 0).any():
            raise OptionError(f"there is no item {index[int(columns.argmin())]} to pin.")
        return columns


@dataclass
class Pool:
    """The candidates of a block of users.

    Attributes:
        ids: int64 [users, candidates], columns of the items.
        kept: bool [users, candidates], False beyond the end of a user's list.
        histories: CSR [users, items].
        table: what is known of the items.
        last: int64 [users], which candidate each list got last.
    """

    ids: np.ndarray
    kept: np.ndarray
    histories: sp.csr_matrix
    table: ItemTable
    last: np.ndarray


class Step(Protocol):
    """A step of reranking."""

    @property
    def weight(self) -> float:
        """By how much the scores count less, from -1 to 1."""

    def gains(self, pool: Pool) -> Iterator[np.ndarray]:
        """What the candidates gain, float [users, candidates], for one place after another."""


@dataclass(frozen=True)
class _Weighted:
    """A step with a weight from `least` to 1; 0 is the ranking as it is."""

    weight: float
    least: ClassVar[float] = 0

    def __post_init__(self) -> None:
        if not self.least <= self.weight <= 1:
            raise OptionError(f"weight={self.weight} must be a number from {self.least} to 1.")


@dataclass(frozen=True)
class Diversity(_Weighted):
    """Items unlike those that are in the list: maximal marginal relevance.

    A candidate loses its similarity to the item of the list that it is most like: how many labels
    they share, divided by how many they have together (Carbonell and Goldstein 1998, "The use of
    MMR, diversity-based reranking for reordering documents and producing summaries").

    `by` is the column of the items' table that has the labels.
    """

    by: str = "genres"

    def gains(self, pool: Pool) -> Iterator[np.ndarray]:
        """Minus the similarity to the most similar item of the list."""
        marks = _Marks(pool, pool.table.labels(self.by))
        n_labels = marks.total(np.ones(len(marks.cells)))
        closest = np.zeros(pool.ids.shape)
        while True:
            yield -self.weight * closest
            shared = marks.total(marks.at(marks.chosen()))
            of_last = np.take_along_axis(n_labels, pool.last[:, None], axis=1)
            either = n_labels + of_last - shared
            closest = np.maximum(closest, shared / np.maximum(either, 1))


@dataclass(frozen=True)
class Calibration(_Weighted):
    """Lists with the labels of the history, in its proportions.

    A candidate gains -KL(p, q): p are the shares of the labels in the history, q those in the list
    with the candidate (Steck 2018, "Calibrated recommendations").

    `by` is the column of the items' table that has the labels.
    """

    by: str = "genres"

    def gains(self, pool: Pool) -> Iterator[np.ndarray]:
        """The divergence of each longer list, but for a constant."""
        labels = pool.table.labels(self.by)
        shares = sp.csr_matrix(labels.multiply(1 / np.maximum(labels.sum(axis=1), 1)))
        marks = _Marks(pool, shares)
        p = (pool.histories @ shares).toarray().astype(np.float64)
        p /= np.maximum(p.sum(axis=1, keepdims=True), TINY)
        listed = np.zeros_like(p)
        for length in itertools.count(1):
            # Adding a candidate changes the logarithms of its own labels only.
            now = _log_mix(listed / length, p)
            then = _log_mix((marks.at(listed) + marks.amounts) / length, marks.at(p))
            changes = marks.total(marks.at(p) * (then - marks.at(now)))
            yield self.weight * ((p * now).sum(axis=1, keepdims=True) + changes)
            listed += marks.chosen()


@dataclass(frozen=True)
class Cap:
    """At most so many items of a label in a list; it ends early if no others are left.

    `by` is the column of the items' table that has the labels.
    """

    most: int
    by: str = "genres"
    weight: ClassVar[float] = 0

    def __post_init__(self) -> None:
        if not (isinstance(self.most, int | np.integer) and self.most >= 1):
            raise OptionError(f"a cap of {self.most} must be a whole number from 1.")

    def gains(self, pool: Pool) -> Iterator[np.ndarray]:
        """Minus infinity for items with a label that has all its places."""
        marks = _Marks(pool, pool.table.labels(self.by))
        listed = np.zeros(marks.shape)
        while True:
            yield np.where(marks.total(marks.at(listed >= self.most)) > 0, -np.inf, 0)
            listed += marks.chosen()


@dataclass(frozen=True)
class Boost(_Weighted):
    """Items with more of something, such as margin, or less of it.

    A candidate gains z(number).

    `by` is the column of the items' table that has the numbers; None is log(1 + users who have the
    item), so that a negative weight is for the niche.
    """

    by: str | None = None
    least = -1

    def gains(self, pool: Pool) -> Iterator[np.ndarray]:
        """The same for each place."""
        return itertools.repeat(self.weight * _z(pool.table.numbers(self.by)[pool.ids], pool.kept))


@dataclass(frozen=True)
class Pin:
    """Some items first, in their order, whatever their scores; those of two pins by their scores.

    They are not in the lists of those who have them or to whom they are denied, and other steps may
    forbid them, as `Cap` does.

    `items` are raw ids.
    """

    items: Sequence[int | str]
    weight: ClassVar[float] = 0

    def gains(self, pool: Pool) -> Iterator[np.ndarray]:
        """More than all else for each of them, the most for the first."""
        worth = np.zeros(pool.table.n_items)
        columns = pool.table.columns(self.items)
        worth[columns] = ABOVE_ALL * np.arange(len(columns), 0, -1)
        return itertools.repeat(worth[pool.ids])


@dataclass(frozen=True)
class Reranker:
    """Steps, and what they know of the items."""

    steps: Sequence[Step]
    table: ItemTable

    def require(self) -> None:
        """Raise OptionError unless these are steps that find what they need."""
        if not np.iterable(self.steps) or not all(hasattr(one, "gains") for one in self.steps):
            raise OptionError(f"rerank={self.steps} must be a list of steps, such as [Cap(3)].")
        nobody = np.zeros((0, 1), dtype=np.int64)
        self(sp.csr_matrix((0, self.table.n_items)), nobody, nobody, 1)

    @cached_property
    def pinned(self) -> np.ndarray:
        """The columns int64 of items that are candidates whatever their scores."""
        pins = [self.table.columns(step.items) for step in self.steps if isinstance(step, Pin)]
        return np.concatenate([np.empty(0, dtype=np.int64), *pins])

    def n_best(self, k: int) -> int:
        """How many candidates lists of length k are made of, pinned ones among them."""
        return min(pool_size(k, self.table.n_items) + len(self.pinned), self.table.n_items)

    def __call__(
        self, histories: sp.csr_matrix, ids: np.ndarray, scores: np.ndarray, k: int
    ) -> tuple[np.ndarray, np.ndarray]:
        """Make lists of length k from longer ones.

        Args:
            histories: CSR [users, items].
            ids: int64 [users, candidates], columns of the items, pinned ones first, then the best;
                -1 at their end.
            scores: float [users, candidates].
            k: length of the lists, up to the number of candidates.

        Returns:
            Columns and the scores of the ranking, [users, k]; -1 and -inf where there are fewer.
        """
        users, pinned = np.arange(len(ids)), np.isin(ids, self.pinned)
        ordinary = (ids >= 0) & ~pinned
        # Who can't have a pinned item has no other candidate for it.
        ordinary &= ordinary.cumsum(axis=1) <= pool_size(k, self.table.n_items)
        open_ = ordinary | pinned
        pool = Pool(np.maximum(ids, 0), open_.copy(), histories, self.table, np.zeros_like(users))
        relevance = _z(scores, ordinary) * np.prod([1 - abs(one.weight) for one in self.steps])
        gains = [step.gains(pool) for step in self.steps]
        chosen = np.empty((len(ids), k), dtype=np.int64)
        for place in range(k):
            worth = np.where(open_, sum(map(next, gains), relevance), -np.inf)
            pool.last = worth.argmax(axis=1)
            chosen[:, place] = np.where(worth[users, pool.last] > -np.inf, pool.last, -1)
            open_[users, pool.last] = False
        is_item = chosen >= 0
        ids, scores = (np.take_along_axis(part, chosen, axis=1) for part in (ids, scores))
        return np.where(is_item, ids, -1), np.where(is_item, scores, -np.inf)


def pool_size(k: int, n_items: int) -> int:
    """How many candidates lists of length k are made of."""
    return min(max(POOL, 2 * k), n_items)


class _Marks:
    """The labels of the candidates: an entry for each of their labels."""

    def __init__(self, pool: Pool, labels: sp.csr_matrix) -> None:
        self._pool, self._marks = pool, labels[pool.ids.ravel()]
        self.amounts = self._marks.data
        self.shape = len(pool.ids), labels.shape[1]
        self._owners = np.repeat(np.arange(pool.ids.size), np.diff(self._marks.indptr))
        self.cells = self._owners // pool.ids.shape[1] * labels.shape[1] + self._marks.indices

    def at(self, table: np.ndarray) -> np.ndarray:
        """For each entry, the value of its user and label in a table [users, labels]."""
        return table.ravel()[self.cells]

    def total(self, values: np.ndarray) -> np.ndarray:
        """The sum of the values of the entries of each candidate: [users, candidates]."""
        shape = self._pool.ids.shape
        return np.bincount(self._owners, values, minlength=self._pool.ids.size).reshape(shape)

    def chosen(self) -> np.ndarray:
        """The labels of what each list got last: [users, labels]."""
        users, n = self._pool.ids.shape
        return self._marks[np.arange(users) * n + self._pool.last].toarray()


def _log_mix(q: np.ndarray, p: np.ndarray) -> np.ndarray:
    return np.log(np.maximum((1 - SMOOTHING) * q + SMOOTHING * p, TINY))


def _z(values: np.ndarray, kept: np.ndarray) -> np.ndarray:
    """Values [users, candidates] in standard deviations from their mean; 0 where all are equal."""
    n = np.maximum(kept.sum(axis=1, keepdims=True), 1)
    centred = np.where(kept, values, 0).astype(np.float64)
    centred = np.where(kept, centred - centred.sum(axis=1, keepdims=True) / n, 0)
    return centred / np.maximum(np.sqrt((centred**2).sum(axis=1, keepdims=True) / n), TINY)
