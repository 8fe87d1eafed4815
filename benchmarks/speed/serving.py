"""How many requests a second `recvae serve` answers, and how soon, with and without micro-batches.

    python -m benchmarks.speed.serving  # a Mult-VAE of 20,000 items, hardly trained
    python -m benchmarks.speed.serving runs/vae --rate 300 --clients 200 --seconds 60

The server is a process of its own, the load generator another, on the same machine. Steady:
requests are sent at a fixed rate, however long others take, and timed from when they were due.
Saturated: each client sends its next request as soon as it has an answer.
"""

import asyncio
import json
import re
import signal
import socket
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from functools import partial
from itertools import chain, cycle
from multiprocessing import get_context
from time import perf_counter, sleep
from typing import TypeAlias

import numpy as np
import uvicorn

import recvae as rv
from benchmarks.common import options
from benchmarks.speed.generated import histories, save_model
from recvae.serving import create_app
from recvae.serving.app import MAX_BATCH

Connection: TypeAlias = tuple[asyncio.StreamReader, asyncio.StreamWriter]
Requests: TypeAlias = Iterator[bytes]
Load: TypeAlias = Callable[[list[Connection], Requests, float], Awaitable[list[float]]]
"""(clients, requests, seconds) -> the seconds that each answer took, NaN for an error."""

N_REQUESTS = 2_000
PATIENCE = 120
"""Seconds for a server to start."""


def main() -> None:
    """Measure each way of serving under each load, and print a line as soon as it is known."""
    parser = options(__doc__)
    parser.add_argument("model", nargs="?", help="folder of a saved model")
    parser.add_argument("--items", type=int, default=20_000, help="of the generated model")
    parser.add_argument("--rate", type=float, default=300, help="steady requests a second")
    parser.add_argument("--clients", type=int, default=200)
    parser.add_argument("--seconds", type=float, default=20, help="of each measurement")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        model = args.model or save_model(args.items, folder)
        requests = make_requests(model)
        loads: dict[str, Load] = {
            f"steady, {args.rate:g}/s": partial(steady, rate=args.rate),
            "saturated": saturated,
        }
        print("| requests in a batch | load | answers a second | p50, ms | p99, ms | errors |")
        print("|---|---|---:|---:|---:|---:|")
        for max_batch in (MAX_BATCH, 1):
            with server(model, max_batch) as port:
                for name, load in loads.items():
                    line = asyncio.run(measure(load, requests, port, args.clients, args.seconds))
                    print(f"| up to {max_batch} | {name} | {line} |", flush=True)


def make_requests(model: str) -> Requests:
    """Requests for lists, of 1 to 200 items drawn at random, over and over."""
    ids = rv.load_model(model).item_ids_
    asked = [{"items": ids[row].tolist()} for row in histories(len(ids), N_REQUESTS)]
    return cycle([as_http(json.dumps(body).encode()) for body in asked])


def as_http(body: bytes) -> bytes:
    """A request as it goes over the wire."""
    head = (
        "POST /recommend HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


@contextmanager
def server(model: str, max_batch: int) -> Iterator[int]:
    """Serve a model in a process of its own; give the port."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    process = get_context("spawn").Process(target=serve, args=(model, max_batch, port))
    process.start()
    try:
        wait_for(port)
        yield port
    finally:
        process.terminate()
        process.join()


def serve(model: str, max_batch: int, port: int) -> None:
    """Serve until terminated."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)  # uvicorn heeds it all the same
    app = create_app(model, max_batch=max_batch)
    uvicorn.run(app, port=port, log_level="warning", access_log=False)


def wait_for(port: int) -> None:
    """Wait until someone listens."""
    deadline = perf_counter() + PATIENCE
    while perf_counter() < deadline:
        with socket.socket() as one:
            if one.connect_ex(("127.0.0.1", port)) == 0:
                return
        sleep(0.1)
    raise TimeoutError(f"no server after {PATIENCE} seconds")


async def measure(load: Load, requests: Requests, port: int, n_clients: int, seconds: float) -> str:
    """Put a load on the server; sum up the seconds that answers took, NaN for errors."""
    async with connections(port, n_clients) as clients:
        await asyncio.gather(*(ask(client, next(requests)) for client in clients))
        started = perf_counter()
        taken = np.array(await load(clients, requests, seconds))
        elapsed = perf_counter() - started
    answered = taken[~np.isnan(taken)]
    median, tail = np.percentile(answered, [50, 99]) * 1000
    errors = len(taken) - len(answered)
    return f"{len(answered) / elapsed:,.0f} | {median:.1f} | {tail:.1f} | {errors}"


@asynccontextmanager
async def connections(port: int, n: int) -> AsyncIterator[list[Connection]]:
    """Connections that are kept open."""
    clients = [await asyncio.open_connection("127.0.0.1", port) for _ in range(n)]
    try:
        yield clients
    finally:
        for _, writer in clients:
            writer.close()


async def steady(
    clients: list[Connection], requests: Requests, seconds: float, rate: float
) -> list[float]:
    """Send at a rate, by the client free longest; each answer's seconds since it was due."""
    free: asyncio.Queue[Connection] = asyncio.Queue()
    for client in clients:
        free.put_nowait(client)

    async def send(due: float) -> float:
        """Wait for a client, and send by it."""
        client = await free.get()
        ok = await ask(client, next(requests))
        free.put_nowait(client)
        return perf_counter() - due if ok else np.nan

    tasks, began = [], perf_counter()
    for due in (began + n / rate for n in range(int(seconds * rate))):
        await asyncio.sleep(due - perf_counter())
        tasks.append(asyncio.create_task(send(due)))
    return await asyncio.gather(*tasks)


async def saturated(clients: list[Connection], requests: Requests, seconds: float) -> list[float]:
    """Send by every client without a pause; each answer's seconds."""
    end = perf_counter() + seconds

    async def send(client: Connection) -> list[float]:
        """Send until the end."""
        taken = []
        while (began := perf_counter()) < end:
            ok = await ask(client, next(requests))
            taken.append(perf_counter() - began if ok else np.nan)
        return taken

    taken = await asyncio.gather(*(send(client) for client in clients))
    return list(chain.from_iterable(taken))


async def ask(client: Connection, request: bytes) -> bool:
    """Send a request, read the answer to its end; whether it is one."""
    reader, writer = client
    writer.write(request)
    head = await reader.readuntil(b"\r\n\r\n")
    length = re.search(rb"content-length: (\d+)", head)
    await reader.readexactly(int(length[1]) if length else 0)
    return head.startswith(b"HTTP/1.1 200")


if __name__ == "__main__":
    main()
