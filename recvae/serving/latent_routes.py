"""Routes for the tools of `recvae.latent`: reasons, blends, the map."""

from typing import Annotated

from fastapi import APIRouter, Query

from recvae.serving.latent_schemas import (
    Blended,
    BlendRequest,
    Explained,
    ExplainRequest,
    ItemMap,
    MapRequest,
    Place,
)
from recvae.serving.routes import UNABLE, Asked
from recvae.serving.schemas import History

latent_router = APIRouter()


@latent_router.post("/explain")
async def explain(history: ExplainRequest, service: Asked) -> Explained:
    """Recommend, and say of each item which likes it comes from.

    A like's contribution is how much less the item would score without it (exact leave-one-out),
    in units of the model's scores, which count by how far they are above their mean over all items.
    """
    return await service.of_history(service.explain, history)


@latent_router.post("/blend", responses=UNABLE)
async def blend(tastes: BlendRequest, service: Asked) -> Blended:
    """Recommend to tastes on the straight line from one to another in the latent space.

    Contributions are those to either taste, in the same weights: of a net, an approximation.
    """
    return await service.of_history(service.blend, tastes)


@latent_router.get("/map", responses=UNABLE)
async def item_map(query: Annotated[MapRequest, Query()], service: Asked) -> ItemMap:
    """Draw the items on a plane through the latent space, each amid those that are like it.

    The first answer takes as long as the map takes to make.
    """
    return await service.draw(query)


@latent_router.post("/place", responses=UNABLE)
async def place(history: History, service: Asked) -> Place:
    """Find a taste's place on the map, and how sure the model is of it."""
    return await service.of_history(service.place, history)
