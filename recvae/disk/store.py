"""Store: a folder of checked files, which are replaced together.

A manifest, `KIND.json`, names the files with their lengths and checksums, and the facts that they
are about. It is written last and in one step: after a crash at any moment, the folder has all old
files or all new ones. Reading needs no lock. The files may be a stranger's: only regular files are
read, none longer than the manifest says, and no byte is parsed before its checksum is verified.
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
from recvae.disk.manifest import DamagedError, DifferentError, Manifest, StoredFile, StoreError
from recvae.disk.untrusted import read_file, require_regular
from recvae.errors import difference

LOCK = ".lock"
"""The file that is locked by the process that writes to the folder."""
DRAFT = r"\.[\w-]+\.(safetensors|parquet|npy|json)\.\d+|\.tmp\w{6}"
"""The names of files that a killed process leaves behind; `.tmp...` is from safetensors."""

Fill: TypeAlias = Callable[[Path], object]
"""Writes a file at a path."""


def sha256(content: bytes | memoryview) -> str:
    """The SHA-256 of bytes, as 64 hexadecimal digits."""
    return hashlib.sha256(content).hexdigest()


def crc32(content: bytes | memoryview) -> str:
    """The CRC-32 of bytes, as 8 hexadecimal digits: twice as fast, but only against damage."""
    return f"{zlib.crc32(content):08x}"


@dataclass(frozen=True)
class Store:
    """A folder of files and their manifest.

    Attributes:
        folder: where the files are.
        kind: the name of the manifest. Stores of several kinds can be in one folder if their files
            have different names.
        checksum: the function that gives the checksum of a file's bytes.
    """

    folder: Path
    kind: str
    checksum: Callable[[bytes | memoryview], str] = sha256

    @property
    def manifest(self) -> Path:
        """The path of the manifest, which may not exist."""
        return self.folder / f"{self.kind}.json"

    def save(
        self,
        files: Mapping[str, Fill],
        *,
        about: Mapping[str, Any] | None = None,
        facts: Mapping[str, Any] | None = None,
    ) -> None:
        """Write files, such as "weights.safetensors", and replace those that were saved before.

        If another process is saving to the folder, it waits.

        Args:
            files: a function for each file that writes it at a path.
            about, facts: see `Manifest`.

        Raises:
            OSError: the files can't be written; the old ones stay.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        with locked(self.folder / LOCK):
            remove_drafts(self.folder)
            before = self.names()
            written = {Path(name).stem: self._write(name, fill) for name, fill in files.items()}
            self._commit(written, about, facts)
            self._remove_others(before, written)

    def commit(
        self, names: Iterable[str], about: Mapping[str, Any], facts: Mapping[str, Any]
    ) -> None:
        """Write the manifest for files that are in the folder already; it must be locked."""
        files = {Path(name).stem: self._described(self.folder / name) for name in names}
        self._commit(files, about, facts)

    def read(self, about: Mapping[str, Any] | None = None) -> "Stored":
        """Read the manifest; its facts must be equal to `about`, if given.

        Raises:
            MissingError, DamagedError: there is no manifest, or it is damaged.
            DifferentError: a fact of `about` is another; the message names it.
        """
        found = manifest.read(self.manifest)
        if about is not None and (other := difference(found.about, json.loads(json.dumps(about)))):
            raise DifferentError(other)
        return Stored(self, found.facts, found.files)

    def names(self) -> set[str]:
        """The names of the files in the manifest; none if it can't be read."""
        with suppress(StoreError):
            return {file.name for file in self.read().files.values()}
        return set()

    def _commit(
        self,
        files: dict[str, StoredFile],
        about: Mapping[str, Any] | None,
        facts: Mapping[str, Any] | None,
    ) -> None:
        said = Manifest(about=dict(about or {}), facts=dict(facts or {}), files=files)
        manifest.write(self.manifest, said)

    def _write(self, name: str, fill: Fill) -> StoredFile:
        """Write a file under a name with its checksum in it, so that no old file is overwritten."""
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

    def _remove_others(self, before: set[str], written: Mapping[str, StoredFile]) -> None:
        """Remove the files of earlier saves, complete or not."""
        leftover = re.compile(rf"({'|'.join(map(re.escape, written))})-[0-9a-f]{{8,12}}\.\w+")
        now = {file.name for file in written.values()}
        for path in self.folder.iterdir():
            if path.name not in now and (path.name in before or leftover.fullmatch(path.name)):
                with suppress(OSError):  # in use by another process, on some systems
                    path.unlink()


@dataclass(frozen=True)
class Stored:
    """The content of a store by its manifest; each file is verified when it is read.

    `facts` and `files` are those of its `Manifest`.
    """

    store: Store
    facts: dict[str, Any]
    files: dict[str, StoredFile]

    def read(self, name: str) -> bytes:
        """The content of a file; raise DamagedError if it is missing, or not what was saved."""
        file, path = self._find(name)
        with manifest.one_error():
            content = read_file(path, file.n_bytes)
            self._verify(content, file)
        return content

    def path(self, name: str) -> Path:
        """The path of a file, for mapping it into memory, after it was verified as by `read`."""
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
def locked(path: Path, busy: Exception | None = None) -> Iterator[None]:
    """A context that holds a lock, whose file stays.

    If another process holds it, this raises `busy`, or waits where that is None.
    """
    try:
        held = FileLock(path).acquire(timeout=-1 if busy is None else 0)
    except Timeout as error:
        raise busy or error from None
    with held:
        yield


def remove_drafts(folder: Path) -> None:
    """Remove the files that killed processes left in a folder; it must be locked."""
    for path in folder.iterdir():
        if re.fullmatch(DRAFT, path.name):
            path.unlink(missing_ok=True)


def _mapped(path: Path) -> memoryview:
    """The bytes of a file, mapped into memory."""
    return np.memmap(path, mode="r").data if path.stat().st_size else memoryview(b"")
