"""Schemas: the fields of requests and answers, and their limits."""

from datetime import datetime
from typing import Annotated, Any, Literal, Self, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, StrictInt, StrictStr, model_validator

from recvae.latent.interpolate import WEIGHTS

MAX_HISTORY = 10_000
"""The longest history, in items."""
MAX_K = 1_000
"""The longest list, in items."""
MAX_AMONG = 100_000
"""The longest list of items to allow or to deny."""
MAX_FEATURES = 100
"""The highest number of things that are known of a user."""
MAX_LIKES = 100
"""The longest history where it is scored many times, in items."""
MAX_EXPLAINED = 50
"""The longest list with reasons."""
MAX_WEIGHTS = 21
"""The highest number of lists of a blend."""
MAX_POINTS = 5_000
"""The highest number of items on a map."""

Id: TypeAlias = (
    Annotated[StrictInt, Field(ge=-(2**63), lt=2**63)] | Annotated[StrictStr, Field(max_length=256)]
)
Known: TypeAlias = (
    Annotated[float, Field(allow_inf_nan=False)]
    | Annotated[StrictStr, Field(max_length=4096)]
    | None
)
Length: TypeAlias = Annotated[
    int, Field(ge=1, le=MAX_K, description="Length of the list; it is shorter if items run out.")
]
Weight: TypeAlias = Annotated[float, Field(ge=1e-6, le=1e6)]
Among: TypeAlias = Annotated[list[Id], Field(max_length=MAX_AMONG)]
Mix: TypeAlias = Annotated[float, Field(ge=0, le=1)]

EXAMPLE: dict[str, Any] = {"items": [2571, 1196, 260]}
BLEND: dict[str, Any] = {"one": EXAMPLE, "other": {"items": [1, 2, 3114]}, "weights": [0, 0.5, 1]}


class Schema(BaseModel):
    """The base of all requests and answers; text below a field is its description in the API."""

    model_config = ConfigDict(use_attribute_docstrings=True)


class History(Schema):
    """The history of a user."""

    model_config = ConfigDict(
        extra="forbid", strict=True, json_schema_extra={"examples": [EXAMPLE]}
    )

    items: Annotated[list[Id], Field(max_length=MAX_HISTORY)]
    """Raw ids, as numbers or strings, the latest last, for models that read the order. Unknown ones
    are skipped and reported."""
    weights: Annotated[list[Weight] | None, Field(max_length=MAX_HISTORY)] = None
    """A rating or count for each item, for a model trained on weights; a model that reads the order
    takes them for the times of the items. Others do not read them."""

    @model_validator(mode="after")
    def _one_weight_an_item(self) -> Self:
        if self.weights is not None and len(self.weights) != len(self.items):
            raise ValueError(f"there are {len(self.weights)} weights for {len(self.items)} items")
        return self


class Wishes(Schema):
    """What is wanted of a list beside the best scores."""

    niche: Annotated[float, Field(ge=-1, le=1)] = 0
    """Whether to prefer the popular (-1) or the niche (1) among the 200 items that the model ranks
    highest; 0 leaves its order, other values go between. `score` stays the model's."""
    diversity: Annotated[float, Field(ge=0, le=1)] = 0
    """How much the genres of a list shall differ, among the same 200 items; 0 leaves their order.
    Only where the items have a column `genres`."""
    dislikes: Among = []
    """Raw ids of what the user does not like: it is not recommended. Unknown ones are skipped."""


class ListRequest(History, Wishes):
    """A history, and how long a list to make of it."""

    model_config = ConfigDict(json_schema_extra={"examples": [EXAMPLE | {"k": 10}]})

    k: Length = 10
    allow: Among | None = None
    """Raw ids of what may be recommended, if not all. Unknown ones are skipped."""
    deny: Among = []
    """Raw ids of what may not be recommended. Unknown ones are skipped."""
    user_features: Annotated[dict[str, Known], Field(max_length=MAX_FEATURES)] = {}
    """What is known of the user, by the names of the columns that the model was trained with; it
    tells users without a history apart."""


class SimilarRequest(Schema):
    """An item, and how many others to find."""

    item: Annotated[str, Field(max_length=256, examples=["2571"])]
    """Its raw id."""
    k: Length = 10


class SearchRequest(Schema):
    """Words of a title."""

    q: Annotated[str, Field(max_length=256, examples=["star wars"])] = ""
    """Parts of words, all of which the title has; accents and case don't count."""
    k: Length = 10


class Item(Schema):
    """An item by its raw id; the title is null if it is unknown."""

    id: int | str
    title: str | None


class ScoredItem(Item):
    """An item of a list."""

    score: float
    users: int
    """Training users who have it; 0 for a cold item."""


class ItemList(Schema):
    """Items, the most popular first."""

    items: list[Item]


class SimilarItems(Schema):
    """Items, the most similar first."""

    items: list[ScoredItem]


class OfHistory(Schema):
    """An answer to a history or two."""

    unknown: list[Id]
    """Items of the request that were skipped."""


class Recommendations(OfHistory):
    """A list, best first; of an empty history, the most popular items, or by what is known."""

    items: list[ScoredItem]


class Code(OfHistory):
    """A taste as a Gaussian; the code of a model without variance has only a mean."""

    mean: list[float]
    log_variance: list[float] | None


class Health(Schema):
    """The status of the server, and the model that it serves."""

    status: Literal["ok"] = "ok"
    model: str
    n_items: int
    fingerprint: str
    """Of the data that it was trained on."""
    loaded: datetime
    n_users: int
    """Users that it was trained on."""
    no_latent_space: str | None
    """Why it can't answer /blend, /map and /place, if it can't."""
    no_genres: str | None
    """Why its lists can't be made more diverse, if they can't."""
    user_features: list[str]
    """What it reads of users without a history."""


class ShortHistory(History):
    """The likes of a user."""

    items: Annotated[list[Id], Field(max_length=MAX_LIKES)]
    weights: Annotated[list[Weight] | None, Field(max_length=MAX_LIKES)] = None


class Explaining(Wishes):
    """What is wanted of a list with reasons."""

    k: Annotated[int, Field(ge=1, le=MAX_EXPLAINED)] = 10
    reasons: Annotated[int, Field(ge=0, le=5)] = 3
    """Likes to name for each item, at most."""


class ExplainRequest(ShortHistory, Explaining):
    """A history, and what to make of it."""

    model_config = ConfigDict(json_schema_extra={"examples": [EXAMPLE | {"k": 5, "reasons": 2}]})


class BlendRequest(Explaining):
    """Two histories, and the points between them to stop at."""

    model_config = ConfigDict(extra="forbid", strict=True, json_schema_extra={"examples": [BLEND]})

    one: ShortHistory
    other: ShortHistory
    weights: Annotated[list[Mix], Field(min_length=1, max_length=MAX_WEIGHTS)] = [*WEIGHTS]
    """How much of the other taste there is in each list."""


class Reason(Item):
    """A like, and how much less an item would score without it."""

    contribution: float


class ExplainedItem(ScoredItem):
    """An item of a list, and the likes that speak for it."""

    because: list[Reason]
    """The likes that add most, most first."""


class Explained(OfHistory):
    """A list, best first, with reasons."""

    items: list[ExplainedItem]


class BlendedList(Schema):
    """A list on the way from one taste to another."""

    weight: Mix
    items: list[ExplainedItem]


class Blended(OfHistory):
    """A list for each weight; what either taste has is in none of them."""

    lists: list[BlendedList]


class Spread(Schema):
    """The covariance of a taste on the map."""

    xx: float
    xy: float
    yy: float


class Place(OfHistory):
    """Where a taste is on the map, and how sure that is: null if the model does not say."""

    x: float
    y: float
    spread: Spread | None


class MapRequest(Schema):
    """How many items to draw."""

    k: Annotated[int, Field(ge=1, le=MAX_POINTS, examples=[100])] = 2_000
    """The most popular ones."""


class MapPoint(Item):
    """Where an item is on the map; its genre is one of the most frequent, or `other`."""

    x: float
    y: float
    genre: str


class ItemMap(Schema):
    """Items on a plane through the latent space, the most popular first."""

    points: list[MapPoint]
