"""Middleware: limits bodies and what pages may load; counts and times requests."""

import asyncio
from http import HTTPStatus
from time import perf_counter

from fastapi import HTTPException
from fastapi.responses import JSONResponse
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from recvae.serving.metrics import Metrics

MAX_BODY = 2**20
"""The largest body of a request, in bytes."""
BODY_SECONDS = 30.0
"""The time in which a whole body must arrive; slow senders would fill the server otherwise."""
STRICT = {
    "Cache-Control": "no-cache",
    "Content-Security-Policy": "default-src 'none'; connect-src 'self'; img-src 'self' data:; "
    "script-src 'self'; style-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
"""Headers for browsers: load nothing from other hosts, run no inline code, check for new files."""
TOO_LARGE = f"the body may have {MAX_BODY:,} bytes: send a shorter history"
TOO_SLOW = f"the body must be here within {BODY_SECONDS:g} seconds"


def with_limits(app: ASGIApp) -> ASGIApp:
    """Refuse bodies above `MAX_BODY`, whether announced or not, and bodies that come slowly."""

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await app(scope, receive, send)
        announced = Headers(scope=scope).get("content-length", "")
        if announced.isdecimal() and int(announced) > MAX_BODY:
            refusal = JSONResponse({"detail": TOO_LARGE}, HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
            return await refusal(scope, receive, send)
        return await app(scope, _counted(receive), send)

    return answer


def _counted(receive: Receive) -> Receive:
    left, whole = MAX_BODY, False
    deadline = asyncio.get_running_loop().time() + BODY_SECONDS

    async def receive_some() -> Message:
        nonlocal left, whole
        try:
            async with asyncio.timeout_at(None if whole else deadline):
                message = await receive()
        except TimeoutError:
            raise HTTPException(HTTPStatus.REQUEST_TIMEOUT, TOO_SLOW) from None
        left, whole = left - len(message.get("body", b"")), not message.get("more_body")
        if left < 0:
            raise HTTPException(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, TOO_LARGE)
        return message

    return receive_some


def strict(app: ASGIApp) -> ASGIApp:
    """Add the headers of `STRICT` to every answer."""

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        async def send_strict(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(STRICT)
            await send(message)

        await app(scope, receive, send_strict)

    return answer


def measured(app: ASGIApp, metrics: Metrics) -> ASGIApp:
    """Count and time requests by their route and status."""

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await app(scope, receive, send)
        code, started = int(HTTPStatus.INTERNAL_SERVER_ERROR), perf_counter()

        async def send_noted(message: Message) -> None:
            nonlocal code
            code = message.get("status", code)
            await send(message)

        try:
            return await app(scope, receive, send_noted)
        finally:
            path = getattr(scope.get("route"), "path", "other")
            metrics.requests.labels(path, code).inc()
            metrics.seconds.labels(path).observe(perf_counter() - started)

    return answer
