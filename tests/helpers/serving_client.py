"""Clients of a server in this process, and a server in a thread."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from threading import Thread
from time import monotonic, sleep

import httpx
import uvicorn

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


@contextmanager
def listening(app, port=0, **options):
    """Run a server in a thread; yield its URL, once it serves."""
    with socket.create_server(("127.0.0.1", port)) as place:
        server = uvicorn.Server(uvicorn.Config(app, log_config=None, **options))
        thread = Thread(target=server.run, args=([place],), daemon=True)
        thread.start()
        try:
            end = monotonic() + 60
            while thread.is_alive() and not server.started and monotonic() < end:
                sleep(0.01)
            assert server.started
            yield "http://{}:{}".format(*place.getsockname())
        finally:
            server.should_exit = True
            thread.join(60)
    assert not thread.is_alive()
