"""The catalogue: the items of a model, from raw ids to columns and back."""

from collections.abc import Iterable, Sequence
from itertools import repeat

import numpy as np
import pandas as pd
import scipy.sparse as sp

from recvae.errors import DataError, OptionError, did_you_mean
from recvae.models import Recommender
from recvae.ranking.rerank import Boost, Diversity, ItemTable, Reranker, Step
from recvae.serving.schemas import History, Id, Item, ListRequest, ScoredItem, Wishes
from recvae.serving.search import TitleSearch

NO_GENRES = "The items have no column `genres`, so that no list can be made more diverse."


class Catalogue:
    """Raw ids and titles of a model's columns."""

    def __init__(self, model: Recommender) -> None:
        self.ids: list[int | str] = [exact_in_json(item) for item in model.item_ids_.tolist()]
        self.column_of = {str(item): column for column, item in enumerate(self.ids)}
        self.titles = _titles(model)
        self._counts = model.item_counts_
        self._in_order = model.reads_order
        texts = [title or str(item) for title, item in zip(self.titles, self.ids, strict=True)]
        self._search = TitleSearch(texts, self._counts)
        self._table = ItemTable(model.items_, self._counts)
        self._features = None if model.cold_users_ is None else model.cold_users_.features
        self.user_features = self._features.columns if self._features else []
        self.no_genres = None if "genres" in model.items_ else NO_GENRES

    def find(self, query: str, k: int) -> list[Item]:
        """Find items by title, or by id if they have none, the most popular first."""
        return [self.item(column) for column in self._search.find(query, k)]

    def item(self, column: int) -> Item:
        """A column's id and title."""
        return Item(id=self.ids[column], title=self.titles[column])

    def scored(self, columns: np.ndarray, scores: np.ndarray) -> list[ScoredItem]:
        """A model's list with ids, titles and counts of users; it ends at the first -1."""
        lines = zip(columns.tolist(), scores.tolist(), self._counts[columns].tolist(), strict=True)
        return [
            ScoredItem(id=self.ids[column], title=self.titles[column], score=score, users=users)
            for column, score, users in lines
            if column >= 0
        ]

    def reranked(
        self, wishes: Wishes, history: sp.csr_matrix, ids: np.ndarray, scores: np.ndarray, k: int
    ) -> tuple[np.ndarray, np.ndarray]:
        """The k items [k] of the model's best ones [n] that a client wants, and their scores."""
        if (rerank := self._reranker(wishes)) is None:
            return ids[:k], scores[:k]
        n = rerank.n_best(k)
        ids, scores = rerank(history, ids[None, :n], scores[None, :n], min(k, n))
        return ids[0], scores[0]

    def require(self, wishes: Wishes) -> None:
        """Raise OptionError or DataError if a list can't be what a client wants, or knows."""
        if wishes.diversity and self.no_genres:
            raise OptionError(self.no_genres)
        if isinstance(wishes, ListRequest) and wishes.user_features:
            if self._features is None:
                raise OptionError("The model was trained without features of users.")
            for name in wishes.user_features.keys() - set(self.user_features):
                hint = did_you_mean(name, self.user_features)
                raise DataError(f"there is no user feature {name!r}: {hint}")
            self._features.encode(self.known_of([wishes]))

    def n_best(self, wishes: Wishes, k: int) -> int:
        """How many of the model's best items are needed for a list of length k."""
        rerank = self._reranker(wishes)
        return min(k, len(self.ids)) if rerank is None else rerank.n_best(k)

    def columns(self, items: Iterable[Id]) -> np.ndarray:
        """The columns int64 of those items that are in the catalogue."""
        found = (self.column_of.get(str(item), -1) for item in items)
        return np.fromiter((column for column in found if column >= 0), dtype=np.int64)

    def histories(self, requests: Sequence[History]) -> sp.csr_matrix:
        """Histories as CSR float32 [requests, items]; unknown items are skipped.

        Weights of an item are summed. For a model that reads the order, the usual weight is the
        place where the item comes last.
        """
        entries = [
            (row, column, weight)
            for row, one in enumerate(requests)
            for item, weight in self._weights(one)
            if (column := self.column_of.get(str(item))) is not None
        ]
        rows, columns, weights = np.reshape(entries, (-1, 3)).T
        cells = weights.astype(np.float32), (rows.astype(np.int64), columns.astype(np.int64))
        return sp.coo_matrix(cells, shape=(len(requests), len(self.ids))).tocsr()

    def known_of(self, requests: Sequence[ListRequest]) -> pd.DataFrame:
        """What clients say of their users, a line for each request."""
        given = [one.user_features for one in requests]
        return pd.DataFrame(given, columns=pd.Index(self.user_features))

    def unknown(self, items: Iterable[Id]) -> list[Id]:
        """The ids that are not in the catalogue."""
        return [exact_in_json(item) for item in items if str(item) not in self.column_of]

    def _weights(self, history: History) -> Iterable[tuple[Id, float]]:
        """The items of a history with their weights."""
        if self._in_order and history.weights is None:
            return {str(item): place for place, item in enumerate(history.items, 1)}.items()
        return zip(history.items, history.weights or repeat(1.0), strict=False)

    def _reranker(self, wishes: Wishes) -> Reranker | None:
        """What changes the order of a list; None if nothing does."""
        wanted: list[Step] = [Boost(-wishes.niche), Diversity(wishes.diversity)]
        steps = [step for step in wanted if step.weight]
        return Reranker(steps, self._table) if steps else None


def exact_in_json(item: int | str) -> int | str:
    """An id; as text beyond 2^53 - 1, which JavaScript and others would read as another number."""
    return item if isinstance(item, str) or abs(item) < 2**53 else str(item)


def _titles(model: Recommender) -> list[str | None]:
    if "title" not in model.items_:
        return [None] * len(model.items_)
    return [None if pd.isna(title) else str(title) for title in model.items_["title"]]
