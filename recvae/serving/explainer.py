"""The explainer: lists and blends with the likes that they come from, in raw ids."""

from collections.abc import Sequence

import numpy as np
import scipy.sparse as sp

from recvae import latent
from recvae.models import Recommender
from recvae.ranking.rerank import pool_size
from recvae.serving import schemas
from recvae.serving.catalogue import Catalogue


class Explainer:
    """Lists of a model with the likes that they come from."""

    def __init__(self, model: Recommender, catalogue: Catalogue) -> None:
        self._model = model
        self._catalogue = catalogue
        self._pool = pool_size(schemas.MAX_EXPLAINED, len(catalogue.ids))

    def explain(self, requests: Sequence[schemas.ExplainRequest]) -> list[schemas.Explained]:
        """A list for each history, with the likes that contribute to each item."""
        histories = self._catalogue.histories(requests)
        disliked = [self._catalogue.columns(one.dislikes).tolist() for one in requests]
        lists = self._model.recommend(histories, self._pool, deny=disliked)
        answers = []
        for row, one in enumerate(requests):
            ids, scores = self._shorten(one, histories[row], *(part[row] for part in lists))
            likes = histories[row].indices
            added = self._contributions(histories[row], likes, ids)
            items = self._with_reasons(ids, scores, likes, added, one.reasons)
            unknown = self._catalogue.unknown(one.items + one.dislikes)
            answers.append(schemas.Explained(items=items, unknown=unknown))
        return answers

    def blend(self, requests: Sequence[schemas.BlendRequest]) -> list[schemas.Blended]:
        """The lists between the two tastes of each request."""
        return [
            schemas.Blended(
                lists=self._blended(one),
                unknown=self._catalogue.unknown(one.one.items + one.other.items + one.dislikes),
            )
            for one in requests
        ]

    def _blended(self, request: schemas.BlendRequest) -> list[schemas.BlendedList]:
        """Lists with reasons: those of both tastes, mixed by weight, which is an approximation."""
        ends = self._catalogue.histories([request.one, request.other])
        weights = tuple(request.weights)
        disliked = self._catalogue.columns(request.dislikes)
        ids, scores = latent.interpolate(
            self._model, ends[0], ends[1], self._pool, weights, deny=disliked
        )
        both = ends[0] + ends[1]
        lists = [self._shorten(request, both, *one) for one in zip(ids, scores, strict=True)]
        columns = np.unique(np.concatenate([ids for ids, _ in lists]))
        likes = np.unique(ends.indices)
        one, other = (self._contributions(end, likes, columns) for end in ends)
        blended = []
        for weight, (ids, scores) in zip(weights, lists, strict=True):
            mixed = (1 - weight) * one + weight * other
            added = mixed[:, np.searchsorted(columns, ids)]
            items = self._with_reasons(ids, scores, likes, added, request.reasons)
            blended.append(schemas.BlendedList(weight=weight, items=items))
        return blended

    def _shorten(
        self,
        request: schemas.Explaining,
        history: sp.csr_matrix,
        ids: np.ndarray,
        scores: np.ndarray,
    ) -> tuple[np.ndarray, np.ndarray]:
        ids, scores = self._catalogue.reranked(request, history, ids, scores, request.k)
        return ids[ids >= 0], scores[ids >= 0]

    def _contributions(
        self, history: sp.csr_matrix, likes: np.ndarray, columns: np.ndarray
    ) -> np.ndarray:
        """How much each like adds to the scores of items, 0 if it is not in the history: [n, k]."""
        added = np.zeros((len(likes), len(columns)), dtype=np.float32)
        if history.nnz and columns.size:
            places = np.searchsorted(likes, history.indices)
            added[places] = latent.leave_one_out(self._model, history, columns)
        return added

    def _with_reasons(
        self,
        ids: np.ndarray,
        scores: np.ndarray,
        likes: np.ndarray,
        contributions: np.ndarray,
        reasons: int,
    ) -> list[schemas.ExplainedItem]:
        scored = self._catalogue.scored(ids, scores)
        return [
            schemas.ExplainedItem(**item.model_dump(), because=self._reasons(likes, added, reasons))
            for item, added in zip(scored, contributions.T, strict=True)
        ]

    def _reasons(self, likes: np.ndarray, added: np.ndarray, n: int) -> list[schemas.Reason]:
        best = np.argsort(-added, kind="stable")[:n]
        return [
            schemas.Reason(
                **self._catalogue.item(int(likes[place])).model_dump(),
                contribution=float(added[place]),
            )
            for place in best
            if added[place] > 0
        ]
