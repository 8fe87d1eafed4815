"""The application: routes, limits, token and errors put together."""

from collections.abc import Collection
from http import HTTPStatus
from importlib.resources import files
from os import PathLike
from pathlib import Path
from queue import Full
from typing import Any

from fastapi import Depends, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.middleware.cors import CORSMiddleware
from fastapi.responses import JSONResponse
from fastapi.staticfiles import StaticFiles

import recvae
from recvae.disk.paths import path_of
from recvae.errors import DataError, MissingPackageError, OptionError, TrainingError
from recvae.serving.live_model import LiveModel
from recvae.serving.middleware import measured, strict, with_limits
from recvae.serving.routes import PAGE, open_router, router
from recvae.serving.security import bearer, require_origins
from recvae.serving.service import Service

SWAGGER = Path(str(files("fastapi_offline"))) / "static"
"""The folder of Swagger UI, which shows the API."""
MAX_BATCH = 64
"""The highest number of requests in one forward pass."""
REFUSALS: dict[int | str, dict[str, Any]] = {
    400: {"description": "The body can't be read."},
    401: {"description": "The server wants its token."},
    408: {"description": "The body came too slowly."},
    413: {"description": "The body is too large."},
    503: {"description": "Too many requests wait: try again."},
}


def create_app(
    folder: str | PathLike[str],
    *,
    device: str = "auto",
    token: str | None = None,
    allow_origins: Collection[str] = (),
    max_batch: int = MAX_BATCH,
) -> FastAPI:
    """Make an ASGI application that serves a saved model: an API, and a page to try it on.

    A model saved to the same folder later is picked up without dropping a request.

    Args:
        folder: of a model, as `save` writes it.
        device: where an autoencoder should live.
        token: the bearer token that requests must have; None lets everyone in.
        allow_origins: origins, such as `https://shop.example`, whose pages may ask this server from
            a browser (CORS); "*" for all.
        max_batch: requests that one forward pass may answer.

    Raises:
        MissingFileError: there is no model in the folder.
        ModelFileError: a file of it is damaged.
        FoldInError: the model knows only the users that it was trained on.
        OptionError: the token is empty, or an origin is none.
    """
    require_origins(allow_origins)
    guards = [] if token is None else [Depends(bearer(token))]
    service = Service(LiveModel(path_of(folder), device), max_batch)
    app = FastAPI(
        title="recvae",
        version=recvae.__version__,
        description="Recommendations from a saved model.",
        lifespan=lambda _: service.lifespan(),
        exception_handlers=HANDLERS,
        docs_url=None,
        redoc_url=None,
        servers=[{"url": ".", "description": "where openapi.json is"}],
        root_path_in_servers=False,
    )
    app.state.service = service
    app.mount("/page", StaticFiles(directory=PAGE))
    app.mount("/swagger", StaticFiles(directory=SWAGGER))
    app.include_router(open_router)
    app.include_router(router, dependencies=guards, responses=REFUSALS)
    app.add_middleware(with_limits)
    app.add_middleware(strict)
    app.add_middleware(measured, metrics=service.metrics)
    if allow_origins:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=allow_origins,
            allow_headers=["Authorization"],
            allow_methods=["GET", "POST"],
            expose_headers=["Retry-After"],
        )
    return app


async def _invalid(request: Request, error: Exception) -> JSONResponse:
    """Say what is wrong and where, without repeating input that may be large or no valid JSON."""
    assert isinstance(error, RequestValidationError)
    if "json" not in request.headers.get("content-type", "json"):
        return _refusal(["header", "Content-Type"], "it must be application/json")
    problems = [{key: one[key] for key in ("loc", "msg", "type")} for one in error.errors()]
    return JSONResponse({"detail": problems}, HTTPStatus.UNPROCESSABLE_ENTITY)


async def _unanswerable(_: Request, error: Exception) -> JSONResponse:
    """Say why the model can't answer a request that the schema allows."""
    return _refusal(["body"], str(error))


def _refusal(place: list[str], problem: str) -> JSONResponse:
    detail = [{"loc": place, "msg": problem, "type": "value_error"}]
    return JSONResponse({"detail": detail}, HTTPStatus.UNPROCESSABLE_ENTITY)


async def _impossible(_: Request, error: Exception) -> JSONResponse:
    """Say what this model or this server can't do for any request."""
    return JSONResponse({"detail": str(error)}, HTTPStatus.NOT_IMPLEMENTED)


async def _busy(_: Request, __: Exception) -> JSONResponse:
    busy = "too many requests are waiting: try again"
    return JSONResponse({"detail": busy}, HTTPStatus.SERVICE_UNAVAILABLE, {"Retry-After": "1"})


HANDLERS: dict[int | type[Exception], Any] = {
    RequestValidationError: _invalid,
    DataError: _unanswerable,
    TrainingError: _unanswerable,
    OptionError: _impossible,
    MissingPackageError: _impossible,
    Full: _busy,
}
"""What answers a request that raises one of these errors."""
