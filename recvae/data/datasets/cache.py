"""Cache: a parsed data set, kept until its source changes."""

import hashlib
import json
import os
from collections.abc import Callable, Iterable
from contextlib import suppress
from functools import partial
from pathlib import Path

import numpy as np
import pooch

from recvae.data.ids import require_ids
from recvae.data.interactions import Interactions
from recvae.disk.paths import path_of
from recvae.disk.store import Store, Stored, crc32
from recvae.disk.untrusted import csr_of, read_table

FORMAT = 2
"""The version of the cache's files; count it up when their content changes."""
KIND = "dataset"
ARRAYS = ("data", "indices", "indptr", "timestamps", "positions")


def cached(sources: Iterable[Path], parse: Callable[[], Interactions]) -> Interactions:
    """Read a data set from the cache, or parse its source files and keep it there.

    It is parsed anew when a file has changed; a cache that is damaged or can't be written is no
    error. `RECVAE_CACHE` names the cache's folder. The arrays are read-only memory maps, whose
    checksums are CRC-32: it takes half the time of SHA-256, which for 20 million interactions is
    half a second.
    """
    paths = {str(path.resolve()): _state(path) for path in sources}
    if (home := _home()) is None:
        return parse()
    store = Store(home / _name(paths), KIND, crc32)
    about = {"format": FORMAT, **paths}
    with suppress(Exception):  # whatever a parser makes of a damaged file
        return _read(store.read(about))
    data = parse()
    with suppress(OSError):
        store.save(_files(data), about=about)
    return data


def _home() -> Path | None:
    """The cache's folder; None where the user has no home."""
    if named := os.environ.get("RECVAE_CACHE"):
        return path_of(named)
    usual: Path = pooch.os_cache("recvae")
    return usual if usual.is_absolute() else None


def _state(path: Path) -> list[int]:
    """Facts about a file that change when its content does."""
    stat = path.stat()
    return [stat.st_size, stat.st_mtime_ns]


def _name(paths: Iterable[str]) -> str:
    """The name of the cache folder: one for each source, so that old versions do not pile up."""
    return hashlib.sha256(json.dumps(list(paths)).encode()).hexdigest()[:16]


def _files(data: Interactions) -> dict[str, Callable[[Path], object]]:
    """A function for each file of a data set that writes it."""
    matrix = data.matrix
    arrays = (matrix.data, matrix.indices, matrix.indptr, data.timestamps, data.positions)
    known = {name: array for name, array in zip(ARRAYS, arrays, strict=True) if array is not None}
    return {
        **{f"{name}.npy": partial(_write_array, array) for name, array in known.items()},
        "users.parquet": data.users.to_parquet,
        "items.parquet": data.items.to_parquet,
    }


def _write_array(array: np.ndarray, path: Path) -> None:
    with path.open("wb") as file:
        np.save(file, array, allow_pickle=False)


def _read(stored: Stored) -> Interactions:
    names = [name for name in ARRAYS if name in stored.files]
    arrays = {name: np.asarray(np.load(stored.path(name), mmap_mode="r")) for name in names}
    weights, indices, indptr = (arrays[name] for name in ARRAYS[:3])
    timestamps, positions = (arrays.get(name) for name in ARRAYS[3:])
    users, items = read_table(stored.read("users")), read_table(stored.read("items"))
    matrix = csr_of(weights, indices, indptr, (len(users), len(items)))
    require_ids(users.index, "user")
    require_ids(items.index, "item")
    return Interactions(matrix, users, items, timestamps, positions)
