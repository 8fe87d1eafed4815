"""Targets: what is mutated. Each is a folder of files, a way to load it, and its checksums."""

import hashlib
import json
import os
import zlib
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TypeAlias

import numpy as np
import pandas as pd
import scipy.sparse as sp

import recvae as rv
from recvae import options
from recvae.data.datasets import cache
from recvae.errors import OptionError
from recvae.models import MODELS
from recvae.saved import manifest

Files: TypeAlias = dict[str, bytes]

SMALL = {"latent": 4, "width": 6, "hidden": (6,), "n_components": 4, "rank": 4, "factors": 4}
OPTIONS = SMALL | {"epochs": 2, "iterations": 2, "n_neighbors": 5, "n_threads": 1, "device": "cpu"}
TIMES = ["seconds", "users_per_second"]


@dataclass(frozen=True)
class Target:
    """Something that is loaded from files.

    Attributes:
        load: gives a digest of what came; what it raises is the error.
        seal: makes the checksums fit.
    """

    name: str
    folder: Path
    load: Callable[[Path], str]
    seal: Callable[[Files], Files]

    def files(self) -> Files:
        """What was saved."""
        return {path.name: path.read_bytes() for path in sorted(self.folder.iterdir())}


def plays() -> rv.Interactions:
    """30 users and 10 items with titles."""
    drawn = sp.random(30, 10, density=0.4, random_state=0, dtype=np.float32)
    matrix = sp.csr_matrix(drawn)
    items = pd.DataFrame({"title": [f"Film {n}" for n in range(10)]}, pd.Index(list("abcdefghij")))
    times = np.arange(matrix.nnz)
    users = pd.DataFrame(index=pd.RangeIndex(30, name="user"))
    return rv.Interactions(matrix, users, items.rename_axis("item"), times, times)


def prepare(names: list[str], folder: Path) -> None:
    """Save the targets of these names; `targets` finds them there."""
    for number, name in enumerate(names):
        home = folder / f"{number:02}-{name}"
        home.mkdir()
        if name == "cache":
            _load_cache(home)
        elif name == "checkpoints":
            _train(home, epochs=2)
        else:
            build(name).fit(plays()).save(home)
        for lock in home.glob(".*"):
            lock.unlink()


def targets(folder: Path) -> list[Target]:
    """What `prepare` has saved."""
    return [_target(path.name.split("-", 1)[1], path) for path in sorted(folder.iterdir())]


def build(name: str, **options: int) -> rv.models.Recommender:
    """A small model."""
    known = MODELS[name].__dataclass_fields__
    small = {key: value for key, value in OPTIONS.items() if key in known}
    return rv.build_model(name, small | options)


def _target(name: str, home: Path) -> Target:
    """What was saved in a folder: a model, where not said otherwise."""
    special = {
        "cache": (_load_cache, _seal_cache),
        "checkpoints": (lambda folder: _train(folder, epochs=3), _seal_checkpoints),
    }
    return Target(name, home, *special.get(name, (_load_model, _seal_model)))


def _load_model(folder: Path) -> str:
    """All that can be seen of a model, and what it answers."""
    model = rv.load_model(folder, device="cpu")
    ids = None if model.user_ids_ is None else model.user_ids_.tolist()
    facts = [model.name, options.values(model), model.n_users_, model.fingerprint_, model.origin_]
    facts += [ids, model.items_.to_dict(), model.item_counts_.tolist()]
    n = min(5, model.n_users_)
    histories = sp.random(n, len(model.items_), density=0.3, random_state=1)
    lists = [model.recommend(sp.csr_matrix(histories), 3, rows=np.arange(n))]
    with suppress(OptionError):
        lists.append(model.similar_items(np.array([0]), 3))
    return _digest([*facts, [part.tobytes() for pair in lists for part in pair]])


def _seal_model(files: Files) -> Files:
    """Rename the files by their checksums, and say so in the manifest."""
    try:
        content = json.loads(files[manifest.MANIFEST])
        named = {file["name"]: file for file in content["files"].values()}
        content.pop("checksum", None)
        for old in [name for name in files if name in named]:
            digest = hashlib.sha256(files[old]).hexdigest()
            role, suffix = old.split("-")[0], old.split(".")[-1]
            new = f"{role}-{digest[:12]}.{suffix}"
            named[old].update(name=new, sha256=digest)
            files[new] = files.pop(old)
        return files | {manifest.MANIFEST: manifest.sealed(content)}
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return files


def _load_cache(folder: Path) -> str:
    """Read a cache as `cached` does: the folder is the cache's one entry."""
    os.environ["RECVAE_CACHE"] = str(folder.parent)
    cache._name = lambda state: folder.name
    data = cache.cached([Path(__file__)], plays)
    facts = [data.fingerprint(), data.timestamps.tolist(), data.positions.tolist()]
    return _digest([*facts, data.users.to_dict(), data.items.to_dict(), data.filter().shape])


def _seal_cache(files: Files) -> Files:
    try:
        content = json.loads(files[cache.MANIFEST])
        for name in content["crc32"]:
            content["crc32"][name] = zlib.crc32(files.get(name, b""))
        return files | {cache.MANIFEST: json.dumps(content).encode()}
    except (ValueError, KeyError, TypeError, RecursionError):
        return files


def _train(folder: Path, epochs: int) -> str:
    """Train, or go on with a training; the weights and the history."""
    model = build("mult-vae", epochs=3)
    split = rv.split_users(plays(), n_validation=5, n_test=5)
    try:
        model.fit(split.train, split.validation, partial(_stop, epochs), checkpoints=folder)
    except StopIteration:
        return "stopped"
    weights = [tensor.numpy().tobytes() for tensor in model.state().values()]
    return _digest([*weights, pd.DataFrame(model.history_).drop(columns=TIMES).to_dict()])


def _stop(epochs: int, epoch: int, value: float) -> None:
    """Cut a training off."""
    if epoch > epochs:
        raise StopIteration


def _seal_checkpoints(files: Files) -> Files:
    def named(name: str, content: bytes) -> str:
        number = name.split("-")[1]
        return f"state-{number}-{hashlib.sha256(content).hexdigest()[:12]}.safetensors"

    return {named(name, content): content for name, content in files.items()}


def _digest(facts: list[object]) -> str:
    """A checksum of all that is known of something."""
    return hashlib.sha256(repr(facts).encode("utf8", "surrogatepass")).hexdigest()


TARGETS = (*MODELS, "cache", "checkpoints")
