"""The served model: a model's answers in raw ids. It does not know of HTTP."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import numpy as np

from recvae.errors import FoldInError
from recvae.models import Recommender
from recvae.models.contract.abilities import Ability
from recvae.serving import schemas
from recvae.serving.catalogue import Catalogue
from recvae.serving.explainer import Explainer
from recvae.serving.served_map import ServedMap


class ServedModel:
    """A fitted model and its items; each method answers many requests in one forward pass."""

    def __init__(self, model: Recommender) -> None:
        """Take a model; FoldInError if it can't recommend for users that are new to it."""
        if not model.supports_new_users:
            raise FoldInError(
                f"{model.name} knows only the users it was trained on: serve a model that folds "
                "new users in, such as als."
            )
        self.model = model
        self.loaded = datetime.now(UTC)
        self.catalogue = Catalogue(model)
        self.explainer = Explainer(model, self.catalogue)
        self.map = ServedMap(model, self.catalogue)

    def recommend(self, requests: Sequence[schemas.ListRequest]) -> list[schemas.Recommendations]:
        """A list for each history."""
        histories = self.catalogue.histories(requests)
        longest = max(self.catalogue.n_best(one, one.k) for one in requests)
        lists = self.model.recommend(histories, longest, **self._limits(requests))
        reranked = [
            self.catalogue.reranked(one, histories[row], lists[0][row], lists[1][row], one.k)
            for row, one in enumerate(requests)
        ]
        return [
            schemas.Recommendations(
                items=self.catalogue.scored(*best),
                unknown=self.catalogue.unknown(
                    [*one.items, *one.dislikes, *(one.allow or ()), *one.deny]
                ),
            )
            for one, best in zip(requests, reranked, strict=True)
        ]

    def encode(self, requests: Sequence[schemas.History]) -> list[schemas.Code]:
        """The code of each history."""
        codes = self.model.encode(self.catalogue.histories(requests))
        return [
            schemas.Code(
                mean=mean,
                log_variance=logvar if np.isfinite(logvar).all() else None,
                unknown=self.catalogue.unknown(one.items),
            )
            for one, mean, logvar in zip(requests, *(part.tolist() for part in codes), strict=True)
        ]

    def similar(
        self, requests: Sequence[schemas.SimilarRequest]
    ) -> list[schemas.SimilarItems | None]:
        """The items nearest to each item; None for an item that is unknown."""
        asked = [self.catalogue.column_of.get(one.item, -1) for one in requests]
        k = min(max(one.k for one in requests), len(self.catalogue.ids))
        ids, scores = self.model.similar_items(np.maximum(asked, 0), k)
        return [
            schemas.SimilarItems(
                items=self.catalogue.scored(ids[row, : one.k], scores[row, : one.k])
            )
            if asked[row] >= 0
            else None
            for row, one in enumerate(requests)
        ]

    def health(self) -> schemas.Health:
        """Which model this is."""
        return schemas.Health(
            model=self.model.name,
            n_items=len(self.catalogue.ids),
            fingerprint=self.model.fingerprint_,
            loaded=self.loaded,
            n_users=self.model.n_users_,
            no_latent_space=self.model.why_not(Ability.CODES),
            no_genres=self.catalogue.no_genres,
            user_features=self.catalogue.user_features,
        )

    def _limits(self, requests: Sequence[schemas.ListRequest]) -> dict[str, Any]:
        """What may and may not be recommended, and what is known of users, where anyone says."""
        columns, limits = self.catalogue.columns, dict[str, Any]()
        if any(one.allow is not None for one in requests):
            every = np.arange(len(self.catalogue.ids))
            limits["allow"] = [
                every if one.allow is None else columns(one.allow) for one in requests
            ]
        if any(one.deny or one.dislikes for one in requests):
            limits["deny"] = [columns(one.deny + one.dislikes) for one in requests]
        if any(one.user_features for one in requests):
            limits["user_features"] = self.catalogue.known_of(requests)
        return limits
