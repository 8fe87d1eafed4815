"""Clients of a server in this process."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx

from recvae.serving import create_app


@asynccontextmanager
async def client_of(folder: Path, **options) -> AsyncIterator[httpx.AsyncClient]:
    """A client of an application of its own, in this process."""
    transport = httpx.ASGITransport(create_app(folder, device="cpu", **options))
    async with httpx.AsyncClient(transport=transport, base_url="http://test", timeout=60) as client:
        yield client


async def until(condition, seconds: float = 60) -> None:
    """Wait until an async condition holds."""
    async with asyncio.timeout(seconds):
        while not await condition():
            await asyncio.sleep(0.02)
