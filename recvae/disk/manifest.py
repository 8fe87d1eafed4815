"""Manifest: a JSON file that lists the files of a folder, with a checksum of its own.

A `StoreError` says what is wrong with a folder. It never reaches a user: the code that uses a store
turns it into an error that names the cure.
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

FORMAT: Literal[3] = 3
"""Counted up whenever the form of folders changes; 1 and 2 were never released."""
MAX_BYTES = 2**24
"""The largest manifest, in bytes: enough for 100,000 files."""


class StoreError(Exception):
    """The content of a folder can't be used; the message is the cause, without the cure."""


class MissingError(StoreError):
    """There is no manifest."""


class DamagedError(StoreError):
    """A file of the folder is not as it was saved."""


class DifferentError(StoreError):
    """The content is about something else; the message is the first different fact."""


class StoredFile(BaseModel):
    """A file beside the manifest, its length and its checksum."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]*\.[a-z]+$")]
    n_bytes: Annotated[int, Strict(), Ge(0)]
    checksum: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{8,64}$")]


class Manifest(BaseModel):
    """The content of a folder.

    Attributes:
        about: facts that decide the content, by name; content about something else is refused.
        facts: other facts that are kept with the files.
        files: the files, by the names under which they are read.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    format: Literal[3] = FORMAT
    about: dict[str, Any]
    facts: dict[str, Any]
    files: dict[str, StoredFile]


def write(path: Path, manifest: Manifest) -> None:
    """Replace the manifest in one step, after its files are on the disk."""
    atomic.replace(path, sealed(manifest.model_dump()))


def read(path: Path) -> Manifest:
    """Read a manifest; raise MissingError or, if it was changed or is none, DamagedError."""
    if not lexists(path):
        raise MissingError(f"{path.name} is missing")
    with one_error():
        content = json.loads(read_file(path, MAX_BYTES))
        if not isinstance(content, dict):
            raise DamagedError("it is no JSON object")
        if (other := content.get("format")) != FORMAT:
            raise DamagedError(f"its format is {other!r:.9}, not {FORMAT}")
        checksum = content.pop("checksum", None)
        manifest = Manifest.model_validate(content)
        if checksum != _checksum(content):
            raise DamagedError("it does not have its checksum")
    return manifest


def sealed(content: Mapping[str, Any]) -> bytes:
    """The JSON of a manifest, with a checksum of its values that does not depend on layout."""
    return json.dumps({**content, "checksum": _checksum(content)}, indent=2).encode()


def _checksum(content: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


@contextmanager
def one_error() -> Iterator[None]:
    """A context in which every error of reading files becomes a DamagedError."""
    try:
        yield
    except ValidationError as error:
        raise DamagedError(error.errors()[0]["msg"]) from error
    except (OSError, ValueError, RecursionError) as error:
        raise DamagedError(str(error)) from error
