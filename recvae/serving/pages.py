"""The pages: one to try the model on, at `/`, and one of the API, at `/docs`.

They load nothing from other hosts, and name their own files by relative paths, so that a proxy may
serve them below any path. Swagger UI is that of fastapi-offline.
"""

from importlib.resources import files
from pathlib import Path

from fastapi import FastAPI
from fastapi.responses import FileResponse
from fastapi.staticfiles import StaticFiles

FOLDER = Path(__file__).parent / "page"
SWAGGER = Path(str(files("fastapi_offline"))) / "static"


def add_to(app: FastAPI) -> None:
    """Add the pages to an application."""
    app.mount("/page", StaticFiles(directory=FOLDER))
    app.mount("/swagger", StaticFiles(directory=SWAGGER))

    @app.get("/", include_in_schema=False)
    async def page() -> FileResponse:
        return FileResponse(FOLDER / "index.html")

    @app.get("/docs", include_in_schema=False)
    async def docs() -> FileResponse:
        return FileResponse(FOLDER / "docs.html")
