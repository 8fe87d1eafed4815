"""Manifest: what `model.json` says of a model, and what it must say to be believed."""

import json
import re
from pathlib import Path
from typing import Annotated, Any, Literal, Self, TypeAlias

from annotated_types import Ge, Lt
from pydantic import BaseModel, ConfigDict, Strict, StringConstraints, model_validator

from recvae.disk import atomic
from recvae.disk.untrusted import read_file
from recvae.saved.origin import Origin

MANIFEST = "model.json"
FORMAT: Literal[2] = 2
MAX_BYTES = 2**20

Role: TypeAlias = Literal["weights", "items", "users", "history"]
FILE_NAME = r"(weights|items|users|history)-[0-9a-f]{12}\.(safetensors|parquet)"

Count = Annotated[int, Strict(), Ge(1), Lt(2**63)]
Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]


class SavedFile(BaseModel):
    """A file beside the manifest, and its SHA-256, which the name has a part of."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    sha256: Sha256

    @model_validator(mode="after")
    def _has_its_name(self) -> Self:
        if not re.fullmatch(FILE_NAME, self.name) or self.sha256[:12] not in self.name:
            raise ValueError(f"{self.name!r} is no name of a file with its checksum")
        return self


class ModelManifest(BaseModel):
    """What `model.json` says.

    Format 1 had no `origin` and no checksum of its own.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    format: Literal[1, 2] = FORMAT
    recvae: str
    model: str
    options: dict[str, Any]
    n_users: Count
    n_items: Count
    fingerprint: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{16}$")]
    files: dict[Role, SavedFile]
    origin: Origin | None = None

    @model_validator(mode="after")
    def _files_have_their_roles(self) -> Self:
        for role, file in self.files.items():
            suffix = "safetensors" if role == "weights" else "parquet"
            if not (file.name.startswith(role) and file.name.endswith(suffix)):
                raise ValueError(f"{file.name} can't be the {role}")
        if missing := {"weights", "items"} - set(self.files):
            raise ValueError(f"there are no {', '.join(sorted(missing))}")
        return self


def write(manifest: ModelManifest, folder: Path) -> None:
    """Put it in the place of the old one, in one step."""
    atomic.replace(folder / MANIFEST, sealed(manifest.model_dump(mode="json")))


def read(folder: Path) -> ModelManifest:
    """Read and validate it.

    Raises:
        OSError, ValueError, RecursionError: it can't be read, or is none.
    """
    content = json.loads(read_file(folder / MANIFEST, MAX_BYTES))
    if not isinstance(content, dict):
        raise ValueError("it is no JSON object")
    checksum = content.pop("checksum", None)
    manifest = ModelManifest.model_validate(content)
    if manifest.format > 1 and checksum != _checksum(content):
        raise ValueError("it does not have its checksum")
    return manifest


def sealed(content: dict[str, Any]) -> bytes:
    """The JSON of a manifest with its own checksum in it."""
    return json.dumps(content | {"checksum": _checksum(content)}, indent=2).encode()


def _checksum(content: dict[str, Any]) -> str:
    """Of what it says, not of how it is written."""
    return atomic.sha256_of(json.dumps(content, sort_keys=True).encode())
