"""Atomic: writes files so that they are on the disk whole or not at all."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from safetensors import SafetensorError

from recvae.errors import RecvaeError, WriteError


def replace(path: Path, content: bytes) -> None:
    """Replace a file in one step, after everything written before is on the disk."""
    with draft_of(path) as draft:
        draft.write_bytes(content)
        sync(path.parent)
    sync(path.parent)


@contextmanager
def draft_of(path: Path) -> Iterator[Path]:
    """A context with a draft to write, which then replaces `path`; after an error it is removed."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        yield draft
        sync(draft)
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)


@contextmanager
def writing_to(path: Path) -> Iterator[None]:
    """A context in which errors of writing to a user's file or folder become one WriteError."""
    try:
        yield
    except RecvaeError:
        raise
    except (OSError, SafetensorError, UnicodeEncodeError) as error:
        reason = getattr(error, "strerror", None) or error
        raise WriteError(
            f"{path} can't be written ({reason}): choose a place that can be, and has room."
        ) from error


def make_folder(path: Path) -> None:
    """Make a folder that a user named, unless it is there; raise WriteError if that can't be."""
    with writing_to(path):
        str(path).encode()  # Arrow and safetensors can't write to a name that is no UTF-8
        path.mkdir(parents=True, exist_ok=True)


@contextmanager
def draft_for_user(path: Path) -> Iterator[Path]:
    """As `draft_of`, for a path that a user named; raise WriteError if it can't be written."""
    if not path.parent.is_dir():
        raise WriteError(f"{path} can't be written: there is no folder {path.parent}, make it.")
    with writing_to(path), draft_of(path) as draft:
        yield draft


def sync(path: Path) -> None:
    """Wait until a file, or a folder's list of files, is on the disk."""
    if os.name == "nt" and path.is_dir():
        return
    descriptor = os.open(path, os.O_RDONLY if path.is_dir() else os.O_RDWR)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
