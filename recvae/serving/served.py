"""What a model answers, in raw ids; of HTTP it knows nothing."""

from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import repeat
from typing import Protocol, runtime_checkable

import numpy as np
import scipy.sparse as sp

from recvae.errors import FoldInError, OptionError
from recvae.models import Recommender
from recvae.serving.schemas import (
    Code,
    Health,
    History,
    Id,
    Item,
    ListRequest,
    Recommendations,
    ScoredItem,
    SearchRequest,
    SimilarItems,
    SimilarRequest,
)
from recvae.serving.search import Search


@runtime_checkable
class Encoder(Protocol):
    """A model that encodes tastes."""

    def encode(self, histories: sp.csr_matrix) -> tuple[np.ndarray, np.ndarray]:
        """Mean and log-variance, float32 [users, latent] each."""


class ServedModel:
    """A fitted model and its items; each method answers many requests in one forward pass."""

    def __init__(self, model: Recommender) -> None:
        """Take a model, which must recommend for users that it was not trained on.

        Raises:
            FoldInError: it does not.
        """
        if not model.folds_in:
            raise FoldInError(
                f"{model.name} knows only the users it was trained on: serve a model that folds "
                "new users in, such as als."
            )
        self.model = model
        self.loaded = datetime.now(UTC)
        self._ids: list[int | str] = model.item_ids_.tolist()
        self._column_of = {str(item): column for column, item in enumerate(self._ids)}
        self._titles = _titles(model)
        texts = [title or str(item) for title, item in zip(self._titles, self._ids, strict=True)]
        self._search = Search(texts, model.item_counts_)

    def recommend(self, requests: Sequence[ListRequest]) -> list[Recommendations]:
        """A list for each history."""
        histories, unknown = self._histories(requests)
        k = self._longest(requests)
        return [
            Recommendations(items=self._scored(columns[: one.k], scores[: one.k]), unknown=skipped)
            for one, columns, scores, skipped in zip(
                requests, *self.model.recommend(histories, k), unknown, strict=True
            )
        ]

    def encode(self, requests: Sequence[History]) -> list[Code]:
        """The code of each history.

        Raises:
            OptionError: the model has no code.
        """
        if not isinstance(self.model, Encoder):
            raise OptionError(f"{self.model.name} encodes nothing: serve an autoencoder.")
        histories, unknown = self._histories(requests)
        return [
            Code(mean=mean, log_variance=logvar if np.isfinite(logvar).all() else None, unknown=ids)
            for mean, logvar, ids in zip(
                *(part.tolist() for part in self.model.encode(histories)), unknown, strict=True
            )
        ]

    def similar(self, requests: Sequence[SimilarRequest]) -> list[SimilarItems | None]:
        """The items nearest to each item; None for an item that is unknown.

        Raises:
            OptionError: the model has no notion of similar items.
        """
        asked = [self._column_of.get(one.item, -1) for one in requests]
        ids, scores = self.model.similar_items(np.maximum(asked, 0), self._longest(requests))
        return [
            SimilarItems(items=self._scored(ids[row, : one.k], scores[row, : one.k]))
            if asked[row] >= 0
            else None
            for row, one in enumerate(requests)
        ]

    def search(self, request: SearchRequest) -> list[Item]:
        """Items by title, or by id where there is none."""
        found = self._search.find(request.q, request.k)
        return [Item(id=self._ids[column], title=self._titles[column]) for column in found]

    def health(self) -> Health:
        """Which model this is."""
        return Health(
            model=self.model.name,
            n_items=len(self._ids),
            fingerprint=self.model.fingerprint_,
            loaded=self.loaded,
        )

    def _histories(self, requests: Sequence[History]) -> tuple[sp.csr_matrix, list[list[Id]]]:
        """CSR float32 [requests, items], an item's weights summed; and the ids left out of each."""
        columns = np.array(
            [self._column_of.get(str(item), -1) for one in requests for item in one.items],
            dtype=np.int64,
        )
        weights = [
            weight for one in requests for weight in one.weights or repeat(1.0, len(one.items))
        ]
        rows = np.repeat(np.arange(len(requests)), [len(one.items) for one in requests])
        known = columns >= 0
        entries = np.array(weights, dtype=np.float32)[known], (rows[known], columns[known])
        unknown = [
            [item for item in one.items if str(item) not in self._column_of] for one in requests
        ]
        return sp.coo_matrix(entries, shape=(len(requests), len(self._ids))).tocsr(), unknown

    def _longest(self, requests: Sequence[ListRequest] | Sequence[SimilarRequest]) -> int:
        return min(max(one.k for one in requests), len(self._ids))

    def _scored(self, columns: np.ndarray, scores: np.ndarray) -> list[ScoredItem]:
        return [
            ScoredItem(id=self._ids[column], title=self._titles[column], score=score)
            for column, score in zip(columns.tolist(), scores.tolist(), strict=True)
            if column >= 0
        ]


def _titles(model: Recommender) -> list[str | None]:
    if "title" not in model.items_:
        return [None] * len(model.items_)
    titles = model.items_["title"]
    return titles.astype(object).where(titles.notna(), None).tolist()
