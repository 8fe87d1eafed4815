"""Routes: one short function for each thing a client may ask.

The pages, one to try the model on and one of the API, load nothing from other hosts, and name their
own files by relative paths, so that a proxy may serve them below any path.
"""

from http import HTTPStatus
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, Depends, HTTPException, Query, Request, Response
from fastapi.responses import FileResponse
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from recvae.serving import schemas
from recvae.serving.service import Service

PAGE = Path(__file__).parent / "page"
"""The folder of the pages' files."""


async def _service(request: Request) -> Service:
    service: Service = request.app.state.service
    service.watch()  # who mounts the application, or runs no lifespan, has not begun to
    return service


Asked = Annotated[Service, Depends(_service)]

router = APIRouter()
open_router = APIRouter()
"""The routes that need no token."""


UNABLE: dict[int | str, Any] = {501: {"description": "The model that is served can't do it."}}
UNKNOWN: dict[int | str, Any] = {404: {"description": "The item is unknown."}}


@router.post("/recommend", responses=UNABLE)
async def recommend(history: schemas.ListRequest, service: Asked) -> schemas.Recommendations:
    """Recommend items to a user, known or new, from what they have had so far."""
    return await service.of_history(service.recommend, history)


@router.post("/encode", responses=UNABLE)
async def encode(history: schemas.History, service: Asked) -> schemas.Code:
    """Encode a user's taste as a Gaussian in the latent space of an autoencoder."""
    return await service.of_history(service.encode, history)


@router.get("/similar", responses=UNABLE | UNKNOWN)
async def similar(
    query: Annotated[schemas.SimilarRequest, Query()], service: Asked
) -> schemas.SimilarItems:
    """Find the items nearest to an item."""
    answer = await service.similar(query)
    if answer is None:
        raise HTTPException(HTTPStatus.NOT_FOUND, f"there is no item {query.item!r}")
    return answer


@router.get("/items")
async def items(
    query: Annotated[schemas.SearchRequest, Query()], service: Asked
) -> schemas.ItemList:
    """Find items by title, the most popular first; without words, the most popular of all."""
    return schemas.ItemList(items=await service.search(query))


@router.post("/explain", responses=UNABLE)
async def explain(history: schemas.ExplainRequest, service: Asked) -> schemas.Explained:
    """Recommend, and say of each item which likes it comes from.

    A like's contribution is how much less the item would score without it (exact leave-one-out),
    in units of the model's scores, which count by how far they are above their mean over all items.
    """
    return await service.of_history(service.explain, history)


@router.post("/blend", responses=UNABLE)
async def blend(tastes: schemas.BlendRequest, service: Asked) -> schemas.Blended:
    """Recommend to tastes on the straight line from one to another in the latent space.

    Contributions are those to either taste, in the same weights: of a net, an approximation.
    """
    return await service.of_history(service.blend, tastes)


@router.get("/map", responses=UNABLE)
async def item_map(
    query: Annotated[schemas.MapRequest, Query()], service: Asked
) -> schemas.ItemMap:
    """Draw the items on a plane through the latent space, each amid those that are like it.

    The first answer takes as long as the map takes to make.
    """
    return await service.draw(query)


@router.post("/place", responses=UNABLE)
async def place(history: schemas.History, service: Asked) -> schemas.Place:
    """Find a taste's place on the map, and how sure the model is of it."""
    return await service.of_history(service.place, history)


@router.get("/metrics", response_class=Response)
async def metrics(service: Asked) -> Response:
    """What Prometheus reads."""
    return Response(generate_latest(service.metrics.registry), media_type=CONTENT_TYPE_LATEST)


@open_router.get("/health")
async def health(service: Asked) -> schemas.Health:
    """Whether the server works, and which model it serves."""
    return service.live.now.health()


@open_router.get("/", include_in_schema=False)
async def page() -> FileResponse:
    """The page to try the model on."""
    return FileResponse(PAGE / "index.html")


@open_router.get("/docs", include_in_schema=False)
async def docs() -> FileResponse:
    """The page of the API."""
    return FileResponse(PAGE / "docs.html")
