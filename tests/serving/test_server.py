"""`recvae serve`, a process as its users start it."""

import asyncio
import os
import re
import signal
import socket
import subprocess
import sys
from contextlib import contextmanager
from time import sleep

import httpx
import pytest
import scipy.sparse as sp
from serving_client import until
from typer.testing import CliRunner

import recvae as rv
from recvae.cli import app

pytestmark = pytest.mark.slow

TOKEN = {"Authorization": "Bearer secret"}


@contextmanager
def serving(folder, *arguments, ends_by=signal.SIGTERM):
    """Start a server; yield its process and URL; end it, and check that nothing went wrong."""
    command = [sys.executable, "-m", "recvae", "serve", folder, "--port", "0", *arguments]
    environment = os.environ | {"RECVAE_TOKEN": "secret"}
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=environment) as process:
        try:
            line = process.stderr.readline()
            yield process, re.search(r"http://\S+:\d+", line)[0]
            process.send_signal(ends_by)
            _, said = process.communicate(timeout=60)
        finally:
            process.kill()
        assert "Traceback" not in said
        assert process.returncode == (130 if ends_by == signal.SIGINT else -ends_by)


@pytest.mark.anyio
async def test_many_clients_while_the_model_is_replaced_until_ctrl_c(folder, data, vae):
    async def ask(client, n):
        body = {"items": [100 + n % 30], "k": 5}
        answer = await client.post("/recommend", json=body, headers=TOKEN)
        assert answer.status_code == 200
        return n % 30, tuple(one["id"] for one in answer.json()["items"])

    async def replaced():
        answers.extend(await asyncio.gather(*(ask(client, n) for n in range(60))))
        return (await client.get("/health")).json()["model"] == "popularity"

    def lists(model):
        columns, _ = model.recommend(sp.identity(30, format="csr"), 5)
        return {(n, tuple(data.item_ids[row])) for n, row in enumerate(columns)}

    answers = []
    popularity = rv.Popularity().fit(data)
    with serving(folder, ends_by=signal.SIGINT) as (_, url):
        async with httpx.AsyncClient(base_url=url, timeout=60) as client:
            assert (await client.get("/health")).json()["status"] == "ok"
            assert (await client.get("/items")).status_code == 401
            assert not await replaced()
            assert set(answers) == lists(vae)
            popularity.save(folder)
            await until(replaced)
            assert set(answers) <= lists(vae) | lists(popularity)
            assert {await ask(client, n) for n in range(30)} == lists(popularity)


def listens(address) -> bool:
    """Whether new connections are taken."""
    with socket.socket() as one:
        return one.connect_ex(address) == 0


def test_a_request_under_way_is_answered_before_the_end(folder):
    body = b'{"items": [103], "k": 3}'
    head = (
        "POST /recommend HTTP/1.1\r\nHost: test\r\nAuthorization: Bearer secret\r\n"
        "Content-Type: application/json\r\nExpect: 100-continue\r\n"
        f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    )
    with serving(folder) as (process, url):
        address = httpx.URL(url).host, httpx.URL(url).port
        with socket.create_connection(address, timeout=60) as connection:
            connection.sendall(head.encode())
            assert connection.recv(1000).startswith(b"HTTP/1.1 100")  # now it waits for the body
            process.send_signal(signal.SIGTERM)
            while listens(address):
                sleep(0.01)
            connection.sendall(body)
            answer = b"".join(iter(lambda: connection.recv(10_000), b""))
    assert answer.startswith(b"HTTP/1.1 200")
    assert answer.count(b'"score"') == 3


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--host", "0.0.0.0"], "give a token, in RECVAE_TOKEN or --token"),
        (["--host", "0.0.0.0", "--token", ""], "give a token"),
        (["--token", ""], "the token is empty and lets nobody in"),
        (["--host", "::"], "give a token"),
        (["--host", "example.org"], "give a token"),
        (["--port", "BUSY"], "can't listen on 127.0.0.1, port"),
        (["--host", "203.0.113.1", "--token", "secret"], "can't listen on 203.0.113.1"),
        (["--device", "cdua"], "--device cdua can't be used here"),
    ],
)
def test_what_can_not_be_served_is_one_clear_error(folder, arguments, said, monkeypatch):
    monkeypatch.delenv("RECVAE_TOKEN", raising=False)
    with socket.create_server(("127.0.0.1", 0)) as busy:
        port = str(busy.getsockname()[1])
        arguments = [port if argument == "BUSY" else argument for argument in arguments]
        result = CliRunner().invoke(app, ["serve", str(folder), *arguments])
    assert result.exit_code == 1
    assert said in result.stderr


def test_without_the_extra(folder, monkeypatch):
    monkeypatch.setitem(sys.modules, "uvicorn", None)
    result = CliRunner().invoke(app, ["serve", str(folder)])
    assert result.exit_code == 1
    assert "recvae serve needs uvicorn: pip install 'recvae[serve]'" in result.stderr
