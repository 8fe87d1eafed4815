"""The served model: a model's answers in raw ids. It does not know of HTTP."""

from collections.abc import Sequence
from datetime import UTC, datetime

import numpy as np

from recvae.errors import FoldInError
from recvae.models import Recommender
from recvae.ranking.reranking import POOL, rerank
from recvae.serving.catalogue import Catalogue
from recvae.serving.explainer import Explainer
from recvae.serving.latent_schemas import (
    Blended,
    BlendRequest,
    Explained,
    ExplainRequest,
    ItemMap,
    MapRequest,
    Place,
)
from recvae.serving.schemas import (
    Code,
    Health,
    History,
    Item,
    ListRequest,
    Recommendations,
    SearchRequest,
    SimilarItems,
    SimilarRequest,
)
from recvae.serving.served_map import ServedMap


class ServedModel:
    """A fitted model and its items; each method answers many requests in one forward pass."""

    def __init__(self, model: Recommender) -> None:
        """Take a model, which must recommend for users that it was not trained on.

        Raises:
            FoldInError: it does not.
        """
        if not model.supports_new_users:
            raise FoldInError(
                f"{model.name} knows only the users it was trained on: serve a model that folds "
                "new users in, such as als."
            )
        self.model = model
        self.loaded = datetime.now(UTC)
        self._catalogue = Catalogue(model)
        self._explainer = Explainer(model, self._catalogue)
        self._map = ServedMap(model, self._catalogue)

    def recommend(self, requests: Sequence[ListRequest]) -> list[Recommendations]:
        """A list for each history."""
        lists = self.model.recommend(self._catalogue.histories(requests), self._longest(requests))
        counts = self.model.item_counts_
        return [
            Recommendations(
                items=self._catalogue.scored(*rerank(ids, scores, counts, one.niche, one.k)),
                unknown=self._catalogue.unknown(one.items),
            )
            for one, ids, scores in zip(requests, *lists, strict=True)
        ]

    def encode(self, requests: Sequence[History]) -> list[Code]:
        """The code of each history.

        Raises:
            OptionError: the model has no latent space.
        """
        codes = self.model.encode(self._catalogue.histories(requests))
        return [
            Code(
                mean=mean,
                log_variance=logvar if np.isfinite(logvar).all() else None,
                unknown=self._catalogue.unknown(one.items),
            )
            for one, mean, logvar in zip(requests, *(part.tolist() for part in codes), strict=True)
        ]

    def similar(self, requests: Sequence[SimilarRequest]) -> list[SimilarItems | None]:
        """The items nearest to each item; None for an item that is unknown.

        Raises:
            OptionError: the model has no notion of similar items.
        """
        asked = [self._catalogue.column_of.get(one.item, -1) for one in requests]
        k = min(max(one.k for one in requests), len(self._catalogue.ids))
        ids, scores = self.model.similar_items(np.maximum(asked, 0), k)
        return [
            SimilarItems(items=self._catalogue.scored(ids[row, : one.k], scores[row, : one.k]))
            if asked[row] >= 0
            else None
            for row, one in enumerate(requests)
        ]

    def explain(self, requests: Sequence[ExplainRequest]) -> list[Explained]:
        """Lists with reasons: see `Explainer.explain`."""
        return self._explainer.explain(requests)

    def blend(self, requests: Sequence[BlendRequest]) -> list[Blended]:
        """Lists between two tastes: see `Explainer.blend`."""
        return self._explainer.blend(requests)

    def draw(self, requests: Sequence[MapRequest]) -> list[ItemMap]:
        """The map of the items: see `ServedMap.draw`."""
        return self._map.draw(requests)

    def place(self, requests: Sequence[History]) -> list[Place]:
        """Places of tastes on the map: see `ServedMap.place`."""
        return self._map.place(requests)

    def search(self, request: SearchRequest) -> list[Item]:
        """Items by title, or by id where there is none."""
        return self._catalogue.find(request.q, request.k)

    def health(self) -> Health:
        """Which model this is."""
        return Health(
            model=self.model.name,
            n_items=len(self._catalogue.ids),
            fingerprint=self.model.fingerprint_,
            loaded=self.loaded,
            n_users=self.model.n_users_,
            no_latent_space=self._map.impossible,
        )

    def _longest(self, requests: Sequence[ListRequest]) -> int:
        """The longest list that is needed: the longest requested, or the pool to rerank."""
        lengths = [one.k if one.niche == 0 else max(one.k, POOL) for one in requests]
        return min(max(lengths), len(self._catalogue.ids))
