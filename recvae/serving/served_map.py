"""The served map: places of a model's items, and of tastes among them, in raw ids."""

from collections.abc import Sequence
from functools import cached_property

import numpy as np

from recvae import latent
from recvae.latent.map_page import main_genres
from recvae.models import Recommender
from recvae.models.contract.abilities import Ability
from recvae.serving import schemas
from recvae.serving.catalogue import Catalogue


class ServedMap:
    """A model's map. It is made on the first request, which takes a while.

    `TasteMap` places an item by the training users who have it, but these are not saved with a
    model. Instead it gets a history for each item: the item and its most similar items (see
    `recvae.latent.neighbor_histories`).
    """

    def __init__(self, model: Recommender, catalogue: Catalogue) -> None:
        self._model = model
        self._catalogue = catalogue
        self._popular = np.argsort(-model.item_counts_, kind="stable")[: schemas.MAX_POINTS]

    def draw(self, requests: Sequence[schemas.MapRequest]) -> list[schemas.ItemMap]:
        """The places of the most popular items."""
        items = self._map.items.iloc[self._popular]
        places, genres = items[["x", "y"]].to_numpy().tolist(), main_genres(items).tolist()
        points = [
            schemas.MapPoint(**self._catalogue.item(column).model_dump(), x=x, y=y, genre=genre)
            for column, (x, y), genre in zip(self._popular.tolist(), places, genres, strict=True)
        ]
        return [schemas.ItemMap(points=points[: one.k]) for one in requests]

    def place(self, requests: Sequence[schemas.History]) -> list[schemas.Place]:
        """The places of tastes."""
        users = self._map.place(self._catalogue.histories(requests))
        return [
            schemas.Place(
                x=at["x"],
                y=at["y"],
                spread=schemas.Spread(xx=at["x_std"] ** 2, xy=at["xy_cov"], yy=at["y_std"] ** 2)
                if at["x_std"] > 0
                else None,
                unknown=self._catalogue.unknown(one.items),
            )
            for one, at in zip(requests, users.to_dict(orient="records"), strict=True)
        ]

    @cached_property
    def _map(self) -> latent.TasteMap:
        self._model.require(Ability.CODES)
        around = latent.neighbor_histories(self._model, self._popular)
        return latent.TasteMap.fit(self._model, around)
