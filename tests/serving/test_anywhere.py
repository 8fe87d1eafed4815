"""The application wherever it is put: in another, without a lifespan, in loop after loop."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack

import httpx
import pytest
from fastapi import FastAPI
from serving_client import listening, until

import recvae as rv
from recvae.serving import create_app, service

ASKED = {"items": [103], "k": 3}


@pytest.fixture
def app(folder, monkeypatch) -> FastAPI:
    """The application, which looks at its folder all the time."""
    monkeypatch.setattr(service, "WATCH_SECONDS", 0.01)
    return create_app(folder, device="cpu")


@pytest.mark.parametrize("lifespan", ["off", "on"])
@pytest.mark.parametrize("prefix", ["", "/recs"])
def test_a_server_answers_and_picks_a_new_model_up(app, folder, data, prefix, lifespan):
    host = FastAPI()
    host.mount("/recs", app)

    async def replaced() -> bool:
        return (await asyncio.to_thread(client.get, "/health")).json()["model"] == "popularity"

    with (
        listening(host if prefix else app, lifespan=lifespan) as url,
        httpx.Client(base_url=url + prefix, timeout=60) as client,
    ):
        assert len(client.post("/recommend", json=ASKED).json()["items"]) == 3
        assert client.get("/map").status_code == 200
        rv.Popularity().fit(data).save(folder)
        asyncio.run(until(replaced))


async def asked(app, lifespan):
    """The items that one client is recommended, in a loop of its own."""
    transport = httpx.ASGITransport(app)
    async with asyncio.timeout(60), AsyncExitStack() as stack:
        if lifespan:
            await stack.enter_async_context(app.router.lifespan_context(app))
        client = httpx.AsyncClient(transport=transport, base_url="http://test", timeout=60)
        answer = await (await stack.enter_async_context(client)).post("/recommend", json=ASKED)
    return [item["id"] for item in answer.json()["items"]]


def test_one_loop_after_another(app):
    lifespans = [True, True, False, True, False]
    answers = [asyncio.run(asked(app, one)) for one in lifespans]
    assert answers == [answers[0]] * len(lifespans)


def test_many_loops_at_once(app):
    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(lambda _: asyncio.run(asked(app, lifespan=False)), range(32)))
    assert answers == [answers[0]] * 32
