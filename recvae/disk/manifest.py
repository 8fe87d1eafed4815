"""Manifest: a file that says what is in a folder, and its checksum. It is written last.

A `StoreError` says what is wrong with a folder. It never leaves this package: each that uses one
says it in words of its own, with the cure.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from os.path import lexists
from pathlib import Path
from typing import Annotated, Any, Literal

from annotated_types import Ge
from pydantic import BaseModel, ConfigDict, Strict, StringConstraints, ValidationError

from recvae.disk import atomic
from recvae.disk.untrusted import read_file

MAX_BYTES = 2**24
"""Of a manifest: enough to name 100,000 files."""


class StoreError(Exception):
    """What is in a folder can't be used; the message is the cause, without the cure."""


class MissingError(StoreError):
    """There is no manifest."""


class DamagedError(StoreError):
    """It is not as it was saved."""


class DifferentError(StoreError):
    """It is about something else; the message is the first difference."""


class BusyError(StoreError):
    """Another process is at work there."""


class StoredFile(BaseModel):
    """A file beside the manifest, its length and its checksum."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]*\.[a-z]+$")]
    n_bytes: Annotated[int, Strict(), Ge(0)]
    checksum: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{8,64}$")]


class Manifest(BaseModel):
    """What is in a folder.

    Attributes:
        about: what decides the content, name by name; what is about something else is refused.
        facts: what else there is to know.
        files: the files, by the names that are asked for.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    format: Literal[1] = 1
    about: dict[str, Any]
    facts: dict[str, Any]
    files: dict[str, StoredFile]


def write(path: Path, manifest: Manifest) -> None:
    """Put a manifest in the place of the old one, in one step, after the files that it names."""
    files = {name: file.model_dump() for name, file in manifest.files.items()}
    atomic.replace(path, sealed(dict(manifest) | {"files": files}))


def read(path: Path) -> Manifest:
    """Read a manifest and validate it.

    Raises:
        MissingError: there is none.
        DamagedError: it is none, or was changed.
    """
    if not lexists(path):
        raise MissingError(f"{path.name} is missing")
    with one_error():
        content = json.loads(read_file(path, MAX_BYTES))
        if not isinstance(content, dict):
            raise DamagedError("it is no JSON object")
        checksum = content.pop("checksum", None)
        manifest = Manifest.model_validate(content)
        if checksum != _checksum(content):
            raise DamagedError("it does not have its checksum")
    return manifest


def sealed(content: Mapping[str, Any]) -> bytes:
    """The JSON of a manifest with a checksum of what it says, however that is written."""
    return json.dumps({**content, "checksum": _checksum(content)}, indent=2).encode()


def _checksum(content: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


@contextmanager
def one_error() -> Iterator[None]:
    """Raise DamagedError for whatever is wrong with files."""
    try:
        yield
    except ValidationError as error:
        raise DamagedError(error.errors()[0]["msg"]) from error
    except (OSError, ValueError, RecursionError) as error:
        raise DamagedError(str(error)) from error
