"""Routes: one short function for each thing a client may ask."""

from http import HTTPStatus
from typing import Annotated, Any

from fastapi import APIRouter, Depends, HTTPException, Query, Request, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from recvae.serving.schemas import (
    Code,
    Health,
    History,
    ItemList,
    ListRequest,
    Recommendations,
    SearchRequest,
    SimilarItems,
    SimilarRequest,
)
from recvae.serving.service import Service


async def _service(request: Request) -> Service:
    service: Service = request.app.state.service
    return service


Asked = Annotated[Service, Depends(_service)]

router = APIRouter()
open_router = APIRouter()
"""The routes that need no token."""


UNABLE: dict[int | str, Any] = {501: {"description": "The model that is served can't do it."}}
UNKNOWN: dict[int | str, Any] = {404: {"description": "The item is unknown."}}


@router.post("/recommend")
async def recommend(history: ListRequest, service: Asked) -> Recommendations:
    """Recommend items to a user, known or new, from what they have had so far."""
    return await service.of_history(service.recommend, history)


@router.post("/encode", responses=UNABLE)
async def encode(history: History, service: Asked) -> Code:
    """Encode a user's taste as a Gaussian in the latent space of an autoencoder."""
    return await service.of_history(service.encode, history)


@router.get("/similar", responses=UNABLE | UNKNOWN)
async def similar(query: Annotated[SimilarRequest, Query()], service: Asked) -> SimilarItems:
    """Find the items nearest to an item."""
    answer = await service.similar(query)
    if answer is None:
        raise HTTPException(HTTPStatus.NOT_FOUND, f"there is no item {query.item!r}")
    return answer


@router.get("/items")
async def items(query: Annotated[SearchRequest, Query()], service: Asked) -> ItemList:
    """Find items by title, the most popular first; without words, the most popular of all."""
    return ItemList(items=await service.search(query))


@router.get("/metrics", response_class=Response)
async def metrics(service: Asked) -> Response:
    """What Prometheus reads."""
    return Response(generate_latest(service.metrics.registry), media_type=CONTENT_TYPE_LATEST)


@open_router.get("/health")
async def health(service: Asked) -> Health:
    """Whether the server works, and which model it serves."""
    return service.live.now.health()
