"""Security: a token that requests must bear."""

from collections.abc import Awaitable, Callable
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
