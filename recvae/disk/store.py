"""Store: a folder of checked files, which holds all that was saved last, or all of what is new.

A manifest, `KIND.json`, names the files with their lengths and checksums, and says what they are
about. It is replaced last and in one step: a crash at any moment leaves what was there before, or
what is new, whole. Who reads needs no lock. What is read may be a stranger's: regular files only,
none longer than the manifest says, and not a byte is parsed before its checksum is verified.
"""

import hashlib
import json
import os
import re
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from filelock import FileLock, Timeout

from recvae.disk import atomic, manifest
from recvae.disk.manifest import (
    BusyError,
    DamagedError,
    DifferentError,
    Manifest,
    StoredFile,
    StoreError,
)
from recvae.disk.untrusted import read_file, require_regular
from recvae.errors import difference

LOCK = ".lock"
"""The file in a folder that is locked by who writes to it."""
DRAFT = r"\.[\w-]+\.(safetensors|parquet|npy|json)\.\d+|\.tmp\w{6}"
"""What a process that was killed while writing leaves behind; `.tmp...` is of safetensors."""

Fill: TypeAlias = Callable[[Path], object]
"""Writes a file at a path."""
Checksum: TypeAlias = Callable[[bytes | memoryview], str]


def sha256(content: bytes | memoryview) -> str:
    """64 hexadecimal digits."""
    return hashlib.sha256(content).hexdigest()


def crc32(content: bytes | memoryview) -> str:
    """8 hexadecimal digits, against damage only: in half of the time, for large files."""
    return f"{zlib.crc32(content):08x}"


@dataclass(frozen=True)
class Store:
    """A folder of files and their manifest.

    Attributes:
        folder: where they are.
        kind: what they are, which names the manifest. Several kinds can be in one folder, if each
            has files of other names.
        checksum: of a file.
    """

    folder: Path
    kind: str
    checksum: Checksum = sha256

    @property
    def manifest(self) -> Path:
        """Where the manifest is, if there is one."""
        return self.folder / f"{self.kind}.json"

    def save(
        self,
        files: Mapping[str, Fill],
        *,
        about: Mapping[str, Any] | None = None,
        facts: Mapping[str, Any] | None = None,
    ) -> None:
        """Write files, such as "weights.safetensors", in the place of what was saved before.

        A process that saves to the same folder waits for the one that does so already.

        Raises:
            OSError: they can't be written; what was there before stays.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        with locked(self.folder / LOCK, wait=True):
            remove_drafts(self.folder)
            before = self._names()
            written = {Path(name).stem: self._write(name, fill) for name, fill in files.items()}
            self._commit(written, about, facts)
            self._remove_others(before, written)

    def commit(
        self, names: Iterable[str], about: Mapping[str, Any], facts: Mapping[str, Any]
    ) -> None:
        """Say what is in the folder, which is locked and has these files already."""
        files = {Path(name).stem: self._described(self.folder / name) for name in names}
        self._commit(files, about, facts)

    def read(self, about: Mapping[str, Any] | None = None) -> "Stored":
        """Read what is in the folder, which must be about the same if that is given.

        Raises:
            MissingError: there is no manifest.
            DamagedError: it is none, or was changed.
            DifferentError: it is about something else.
        """
        found = manifest.read(self.manifest)
        if about is not None and (other := difference(found.about, json.loads(json.dumps(about)))):
            raise DifferentError(other)
        return Stored(self, found.about, found.facts, found.files)

    def _commit(
        self,
        files: dict[str, StoredFile],
        about: Mapping[str, Any] | None,
        facts: Mapping[str, Any] | None,
    ) -> None:
        said = Manifest(about=dict(about or {}), facts=dict(facts or {}), files=files)
        manifest.write(self.manifest, said)

    def _write(self, name: str, fill: Fill) -> StoredFile:
        """Write a file under a name that its content decides: no other's place is taken."""
        stem, suffix = name.split(".")
        draft = self.folder / f".{name}.{os.getpid()}"
        try:
            fill(draft)
            checksum = self.checksum(_mapped(draft))
            final = self.folder / f"{stem}-{checksum[:12]}.{suffix}"
            atomic.sync(draft)
            draft.replace(final)
        finally:
            draft.unlink(missing_ok=True)
        return StoredFile(name=final.name, n_bytes=final.stat().st_size, checksum=checksum)

    def _described(self, path: Path) -> StoredFile:
        checksum = self.checksum(_mapped(path))
        return StoredFile(name=path.name, n_bytes=path.stat().st_size, checksum=checksum)

    def _names(self) -> set[str]:
        """The files that the manifest names; none if it can't be read."""
        with suppress(StoreError):
            return {file.name for file in self.read().files.values()}
        return set()

    def _remove_others(self, before: set[str], written: Mapping[str, StoredFile]) -> None:
        """Remove what earlier saves, complete or not, left behind."""
        leftover = re.compile(rf"({'|'.join(map(re.escape, written))})-[0-9a-f]{{8,12}}\.\w+")
        now = {file.name for file in written.values()}
        for path in self.folder.iterdir():
            if path.name not in now and (path.name in before or leftover.fullmatch(path.name)):
                with suppress(OSError):  # in use by another process, on some systems
                    path.unlink()


@dataclass(frozen=True)
class Stored:
    """What is in a store, of which each file is verified when it is asked for.

    Attributes:
        store: the store.
        about: see `Manifest`; `facts` and `files` likewise.
    """

    store: Store
    about: dict[str, Any]
    facts: dict[str, Any]
    files: dict[str, StoredFile]

    def read(self, name: str) -> bytes:
        """The content of a file, read once.

        Raises:
            DamagedError: it is missing, no regular file, or has another checksum.
        """
        file, path = self._find(name)
        with manifest.one_error():
            content = read_file(path, file.n_bytes)
            self._verify(content, file)
        return content

    def path(self, name: str) -> Path:
        """The path of a file, for who maps it into memory.

        Raises:
            DamagedError: see `read`.
        """
        file, path = self._find(name)
        with manifest.one_error():
            require_regular(path, file.n_bytes)
            self._verify(_mapped(path), file)
        return path

    def _find(self, name: str) -> tuple[StoredFile, Path]:
        if name not in self.files:
            raise DamagedError(f"there is no file of {name}")
        return self.files[name], self.store.folder / self.files[name].name

    def _verify(self, content: bytes | memoryview, file: StoredFile) -> None:
        if self.store.checksum(content) != file.checksum:
            raise DamagedError(f"{file.name} does not have its checksum")


@contextmanager
def locked(path: Path, *, wait: bool = False) -> Iterator[None]:
    """Hold a lock, which is a file that stays.

    Raises:
        BusyError: another process holds it, and is not waited for.
        OSError: the file can't be made.
    """
    lock = FileLock(path)
    try:
        lock.acquire(timeout=-1 if wait else 0)
    except Timeout:
        raise BusyError("another process is at work there") from None
    try:
        yield
    finally:
        lock.release()


def remove_drafts(folder: Path) -> None:
    """Remove what killed processes left in a folder, which is locked."""
    for path in folder.iterdir():
        if re.fullmatch(DRAFT, path.name):
            path.unlink(missing_ok=True)


def _mapped(path: Path) -> memoryview:
    """The bytes of a file, without room for all of them."""
    return np.memmap(path, mode="r").data if path.stat().st_size else memoryview(b"")
