"""Schemas: the fields of requests and answers, and their limits."""

from datetime import datetime
from typing import Annotated, Any, Literal, Self, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, StrictInt, StrictStr, model_validator

MAX_HISTORY = 10_000
"""The longest history, in items."""
MAX_K = 1_000
"""The longest list, in items."""

Id: TypeAlias = (
    Annotated[StrictInt, Field(ge=-(2**63), lt=2**63)] | Annotated[StrictStr, Field(max_length=256)]
)
Length: TypeAlias = Annotated[
    int, Field(ge=1, le=MAX_K, description="Length of the list; it is shorter if items run out.")
]
Weight: TypeAlias = Annotated[float, Field(ge=1e-6, le=1e6)]
Niche: TypeAlias = Annotated[
    float,
    Field(
        ge=-1,
        le=1,
        description="Whether to prefer the popular (-1) or the niche (1) among the 200 items that "
        "the model ranks highest; 0 leaves its order, other values go between. `score` stays the "
        "model's.",
    ),
]

EXAMPLE: dict[str, Any] = {"items": [2571, 1196, 260]}


class History(BaseModel):
    """The history of a user."""

    model_config = ConfigDict(
        extra="forbid", strict=True, json_schema_extra={"examples": [EXAMPLE]}
    )

    items: Annotated[
        list[Id],
        Field(
            max_length=MAX_HISTORY,
            description="Raw ids, as numbers or strings. Unknown ones are skipped and reported.",
        ),
    ]
    weights: Annotated[
        list[Weight] | None,
        Field(
            max_length=MAX_HISTORY,
            description="A rating or count for each item; only a model trained on weights reads "
            "them.",
        ),
    ] = None

    @model_validator(mode="after")
    def _one_weight_an_item(self) -> Self:
        if self.weights is not None and len(self.weights) != len(self.items):
            raise ValueError(f"there are {len(self.weights)} weights for {len(self.items)} items")
        return self


class ListRequest(History):
    """A history, and how long a list to make of it."""

    model_config = ConfigDict(json_schema_extra={"examples": [EXAMPLE | {"k": 10}]})

    k: Length = 10
    niche: Niche = 0


class SimilarRequest(BaseModel):
    """An item, and how many others to find."""

    item: Annotated[str, Field(max_length=256, description="Its raw id.", examples=["2571"])]
    k: Length = 10


class SearchRequest(BaseModel):
    """Words of a title."""

    q: Annotated[
        str,
        Field(
            max_length=256,
            description="Parts of words, all of which the title has; accents and case don't count.",
            examples=["star wars"],
        ),
    ] = ""
    k: Length = 10


class Item(BaseModel):
    """An item by its raw id; the title is null if it is unknown."""

    id: int | str
    title: str | None


class ScoredItem(Item):
    """An item of a list."""

    score: float


class ItemList(BaseModel):
    """Items, the most popular first."""

    items: list[Item]


class SimilarItems(BaseModel):
    """Items, the most similar first."""

    items: list[ScoredItem]


class Recommendations(BaseModel):
    """A list, best first; of an empty history it has the most popular items."""

    items: list[ScoredItem]
    unknown: Annotated[list[Id], Field(description="Items of the history that were skipped.")]


class Code(BaseModel):
    """A taste as a Gaussian; the code of a model without variance has only a mean."""

    mean: list[float]
    log_variance: list[float] | None
    unknown: Annotated[list[Id], Field(description="Items of the history that were skipped.")]


class Health(BaseModel):
    """The status of the server, and the model that it serves."""

    status: Literal["ok"] = "ok"
    model: str
    n_items: int
    fingerprint: Annotated[str, Field(description="Of the data that it was trained on.")]
    loaded: datetime
    n_users: Annotated[int, Field(description="Users that it was trained on.")]
    no_latent_space: Annotated[
        str | None, Field(description="Why it can't answer /blend, /map and /place, if it can't.")
    ]
