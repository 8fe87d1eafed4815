"""Cache: a parsed data set, kept until its source changes."""

import hashlib
import json
import os
import shutil
import zlib
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TypeAlias

import numpy as np
import pooch

from recvae.data.interactions import Interactions, require_ids
from recvae.disk.untrusted import csr_of, read_file, read_table, require_regular

FORMAT = 1
"""The version of the cache's files; count it up when their content changes."""

ARRAYS = ("data", "indices", "indptr", "timestamps", "positions")
MANIFEST = "manifest.json"

State: TypeAlias = list[list[str | int]]


def cached(sources: Iterable[Path], parse: Callable[[], Interactions]) -> Interactions:
    """Take a data set from the cache, or parse it and keep it there.

    A cache that is damaged, outdated or can't be written is no error: `parse` does its work.
    `RECVAE_CACHE` names the cache's folder.

    Args:
        sources: the files that `parse` reads; if one has changed, the cache is outdated.
        parse: makes the data set, always the same from the same sources.

    Returns:
        The data set. Its arrays may be maps of files in the cache, which can't be written to.
    """
    state: State = [[FORMAT], *(_state(path) for path in sources)]
    folder = _cache_directory() / _name(state)
    with suppress(Exception):  # whatever a parser makes of a damaged file
        if _manifest(folder, state) == json.loads(read_file(folder / MANIFEST)):
            return _read(folder)
    data = parse()
    with suppress(OSError):
        _keep(folder, data, state)
    return data


def _cache_directory() -> Path:
    return Path(os.environ.get("RECVAE_CACHE") or pooch.os_cache("recvae")).expanduser()


def _state(path: Path) -> list[str | int]:
    """What is not the same any more once a file has changed."""
    stat = path.stat()
    return [str(path.resolve()), stat.st_size, stat.st_mtime_ns]


def _name(state: State) -> str:
    """One folder for a source, whatever becomes of it, so that the cache does not pile up."""
    paths = json.dumps([path for path, *_ in state[1:]])
    return hashlib.sha256(paths.encode()).hexdigest()[:16]


def _manifest(folder: Path, state: State) -> dict[str, State | dict[str, int]]:
    """What the files of the cache were made from, and their checksums."""
    files = sorted(path for path in folder.iterdir() if path.name != MANIFEST)
    for path in files:
        require_regular(path)
    return {
        "sources": state,
        "crc32": {path.name: zlib.crc32(np.memmap(path, mode="r").data) for path in files},
    }


def _keep(folder: Path, data: Interactions, state: State) -> None:
    """Write to a temporary folder, then put it in the old one's place."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=folder.parent, prefix="new-") as temporary:
        fresh = Path(temporary) / folder.name
        fresh.mkdir()
        _write(fresh, data)
        (fresh / MANIFEST).write_text(json.dumps(_manifest(fresh, state)), encoding="utf8")
        shutil.rmtree(folder, ignore_errors=True)
        fresh.rename(folder)


def _write(folder: Path, data: Interactions) -> None:
    matrix = data.matrix
    arrays = (matrix.data, matrix.indices, matrix.indptr, data.timestamps, data.positions)
    for name, array in zip(ARRAYS, arrays, strict=True):
        if array is not None:
            np.save(folder / f"{name}.npy", array, allow_pickle=False)
    data.users.to_parquet(folder / "users.parquet")
    data.items.to_parquet(folder / "items.parquet")


def _read(folder: Path) -> Interactions:
    arrays = {path.stem: np.asarray(np.load(path, mmap_mode="r")) for path in folder.glob("*.npy")}
    weights, indices, indptr = (arrays[name] for name in ARRAYS[:3])
    timestamps, positions = (arrays.get(name) for name in ARRAYS[3:])
    users = read_table(read_file(folder / "users.parquet"))
    items = read_table(read_file(folder / "items.parquet"))
    matrix = csr_of(weights, indices, indptr, (len(users), len(items)))
    _require_sound(matrix.data, *(one for one in (timestamps, positions) if one is not None))
    require_ids(users.index, "user")
    require_ids(items.index, "item")
    return Interactions(matrix, users, items, timestamps, positions)


def _require_sound(weights: np.ndarray, *others: np.ndarray) -> None:
    """Raise ValueError unless arrays are as `_write` made them."""
    if weights.dtype != np.float32 or not (np.isfinite(weights).all() and (weights > 0).all()):
        raise ValueError("the weights are not finite and above 0")
    if any(array.dtype != np.int64 or array.shape != weights.shape for array in others):
        raise ValueError("the arrays are not equally long")
