"""Security: a token that requests must bear, and the origins whose pages may ask."""

import re
from collections.abc import Awaitable, Callable, Iterable
from hmac import compare_digest
from http import HTTPStatus
from typing import Annotated, TypeAlias

from fastapi import Depends, HTTPException
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from recvae.errors import OptionError

Given: TypeAlias = Annotated[
    HTTPAuthorizationCredentials | None, Depends(HTTPBearer(auto_error=False))
]


def bearer(token: str) -> Callable[[Given], Awaitable[None]]:
    """A dependency that lets in who bears the token, compared in constant time.

    Raises:
        OptionError: the token is empty.
    """
    if not token.strip():
        raise OptionError("the token is empty and lets nobody in: give one, or none at all.")

    async def check(given: Given) -> None:
        if given is None or not compare_digest(given.credentials.encode(), token.encode()):
            raise HTTPException(
                HTTPStatus.UNAUTHORIZED,
                "send the server's token as `Authorization: Bearer TOKEN`",
                {"WWW-Authenticate": "Bearer"},
            )

    return check


def require_origins(origins: Iterable[str]) -> None:
    """Raise OptionError unless each is an origin as browsers write it, or * for all."""
    for origin in origins:
        if origin != "*" and not re.fullmatch(r"https?://[^/\s*A-Z]+", origin):
            raise OptionError(
                f"{origin!r} is no origin: write it as browsers do, such as https://shop.example, "
                "without a path, or * for all."
            )
