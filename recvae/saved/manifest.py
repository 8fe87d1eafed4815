"""Manifest: the facts about a model in `model.json`, and their checks."""

from typing import Annotated, Any

from annotated_types import Ge, Lt
from pydantic import BaseModel, ConfigDict, FiniteFloat, Strict, StringConstraints

from recvae.saved.origin import Origin

KIND = "model"
MANIFEST = f"{KIND}.json"

Count = Annotated[int, Strict(), Ge(1), Lt(2**63)]


class ModelManifest(BaseModel):
    """The facts in `model.json` that are not in the model's other files."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    recvae: str
    model: str
    options: dict[str, Any]
    n_users: Count
    n_items: Count
    fingerprint: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{16}$")]
    origin: Origin | None
    min_weight: FiniteFloat | None = None
    item_features: list[str] | None = None
