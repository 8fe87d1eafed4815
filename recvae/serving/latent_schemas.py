"""Schemas for the tools of `recvae.latent`: reasons, blends, places on a map."""

from typing import Annotated, Any, TypeAlias

from pydantic import BaseModel, ConfigDict, Field

from recvae.serving.schemas import EXAMPLE, History, Id, Item, Niche, ScoredItem, Weight

MAX_LIKES = 100
"""The longest history where it is scored many times, in items."""
MAX_EXPLAINED = 50
"""The longest list with reasons."""
MAX_WEIGHTS = 21
"""The highest number of lists of a blend."""
MAX_POINTS = 5_000
"""The highest number of items on a map."""

ShortLength: TypeAlias = Annotated[int, Field(ge=1, le=MAX_EXPLAINED)]
Reasons: TypeAlias = Annotated[
    int, Field(ge=0, le=5, description="Likes to name for each item, at most.")
]
Mix: TypeAlias = Annotated[float, Field(ge=0, le=1)]

BLEND: dict[str, Any] = {"one": EXAMPLE, "other": {"items": [1, 2, 3114]}, "weights": [0, 0.5, 1]}


class ShortHistory(History):
    """The likes of a user."""

    items: Annotated[list[Id], Field(max_length=MAX_LIKES)]
    weights: Annotated[list[Weight] | None, Field(max_length=MAX_LIKES)] = None


class ExplainRequest(ShortHistory):
    """A history, and what to make of it."""

    model_config = ConfigDict(json_schema_extra={"examples": [EXAMPLE | {"k": 5, "reasons": 2}]})

    k: ShortLength = 10
    niche: Niche = 0
    reasons: Reasons = 3


class BlendRequest(BaseModel):
    """Two histories, and the points between them to stop at."""

    model_config = ConfigDict(extra="forbid", strict=True, json_schema_extra={"examples": [BLEND]})

    one: ShortHistory
    other: ShortHistory
    weights: Annotated[
        list[Mix],
        Field(
            min_length=1,
            max_length=MAX_WEIGHTS,
            description="How much of the other taste there is in each list.",
        ),
    ] = [0, 0.25, 0.5, 0.75, 1]
    k: ShortLength = 10
    niche: Niche = 0
    reasons: Reasons = 3


class Reason(Item):
    """A like, and how much less an item would score without it."""

    contribution: float


class ExplainedItem(ScoredItem):
    """An item of a list, and the likes that speak for it."""

    users: Annotated[int, Field(description="Training users who have it.")]
    because: Annotated[list[Reason], Field(description="The likes that add most, most first.")]


class Explained(BaseModel):
    """A list, best first, with reasons."""

    items: list[ExplainedItem]
    unknown: Annotated[list[Id], Field(description="Items of the history that were skipped.")]


class BlendedList(BaseModel):
    """A list on the way from one taste to another."""

    weight: Mix
    items: list[ExplainedItem]


class Blended(BaseModel):
    """A list for each weight; what either taste has is in none of them."""

    lists: list[BlendedList]
    unknown: Annotated[list[Id], Field(description="Items of the histories that were skipped.")]


class Spread(BaseModel):
    """The covariance of a taste on the map."""

    xx: float
    xy: float
    yy: float


class Place(BaseModel):
    """Where a taste is on the map, and how sure that is: null if the model does not say."""

    x: float
    y: float
    spread: Spread | None
    unknown: Annotated[list[Id], Field(description="Items of the history that were skipped.")]


class MapRequest(BaseModel):
    """How many items to draw."""

    k: Annotated[
        int, Field(ge=1, le=MAX_POINTS, description="The most popular ones.", examples=[100])
    ] = 2_000


class MapPoint(Item):
    """Where an item is on the map; its genre is one of the most frequent, or `other`."""

    x: float
    y: float
    genre: str


class ItemMap(BaseModel):
    """Items on a plane through the latent space, the most popular first."""

    points: list[MapPoint]
