"""Targets: what is mutated. Each is a folder of files, a way to load it, and its checksums."""

import hashlib
import json
import os
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import TypeAlias

import numpy as np
import pandas as pd
import scipy.sparse as sp

import recvae as rv
from recvae import options
from recvae.cluster.job import job_in
from recvae.data.datasets import cache as datasets
from recvae.data.shards.files import write_manifest, write_shard
from recvae.disk.manifest import sealed
from recvae.disk.store import crc32, sha256
from recvae.errors import OptionError
from recvae.experiments.run_cache import RunCache
from recvae.experiments.runs import Run
from recvae.latent import SparseCodes
from recvae.models import MODELS

Files: TypeAlias = dict[str, bytes]

SMALL = {"latent": 4, "width": 6, "hidden": (6,), "n_components": 4, "rank": 4, "factors": 4}
FEW = {"epochs": 2, "iterations": 2, "n_neighbors": 5, "n_threads": 1, "members": ("ease", "als")}
OPTIONS = SMALL | FEW | {"device": "cpu"}
TIMES = ["seconds", "users_per_second"]


@dataclass(frozen=True)
class Target:
    """Something that is loaded from files.

    Attributes:
        load: gives a digest of what came; what it raises is the error.
        has_checksums: whether what is damaged is noticed for sure; SQLite has none.
    """

    name: str
    folder: Path
    load: Callable[[Path], str]
    has_checksums: bool = True

    def files(self) -> Files:
        """What was saved, by the path in the folder."""
        paths = sorted(path for path in self.folder.rglob("*") if path.is_file())
        return {str(path.relative_to(self.folder)): path.read_bytes() for path in paths}


def seal(files: Files) -> Files:
    """Make the checksums of stores fit what is in their files."""
    stores = [name for name in files if name.endswith(".json")]
    with suppress(ValueError, KeyError, TypeError, AttributeError, RecursionError):
        for name in stores:
            content = json.loads(files[name])
            content.pop("checksum", None)
            for file in content["files"].values():
                other = files[str(Path(name).with_name(file["name"]))]
                checksum = crc32 if len(file["checksum"]) == len(crc32(b"")) else sha256
                file.update(n_bytes=len(other), checksum=checksum(other))
            files = files | {name: sealed(content)}
    return files


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
        if name in OTHERS:
            OTHERS[name][0](home)
        else:
            build(name).fit(plays()).save(home)
        for lock in home.rglob(".*lock"):
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
    load = OTHERS[name][1] if name in OTHERS else _load_model
    return Target(name, home, load, has_checksums=name != "study")


def _load_model(folder: Path) -> str:
    """All that can be seen of a model, and what it answers."""
    model = rv.load_model(folder, device="cpu")
    users = model.facts_.user_ids
    ids = None if users is None else users.tolist()
    facts = [model.name, options.values(model), model.n_users_, model.fingerprint_, model.origin_]
    facts += [ids, model.items_.to_dict(), model.item_counts_.tolist()]
    n = min(5, model.n_users_)
    histories = sp.random(n, len(model.items_), density=0.3, random_state=1)
    lists = [model.recommend(sp.csr_matrix(histories), 3, rows=np.arange(n))]
    with suppress(OptionError):
        lists.append(model.similar_items(np.array([0]), 3))
    return _digest([*facts, [part.tobytes() for pair in lists for part in pair]])


def _load_cache(folder: Path) -> str:
    """Read a cache as `cached` does: the folder is the cache's one entry."""
    os.environ["RECVAE_CACHE"] = str(folder.parent)
    datasets._name = lambda paths: folder.name
    data = datasets.cached([Path(__file__)], plays)
    return _digest([*_facts(data), data.filter().shape])


def _facts(data: rv.Interactions) -> list[object]:
    """All that can be seen of interactions."""
    arrays = [data.matrix.data, data.timestamps, data.positions]
    values = [None if array is None else array.tolist() for array in arrays]
    return [data.fingerprint(), *values, data.users.to_dict(), data.items.to_dict()]


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


def _make_shards(folder: Path) -> None:
    """Two shards of users and the items, as `recvae shard` writes them."""
    data = plays()
    paths = [folder / f"shard-{number:05}.parquet" for number in range(2)]
    for number, path in enumerate(paths):
        write_shard(data.select_users(np.arange(15) + 15 * number), path)
    items = pd.DataFrame({"users": data.item_counts}, data.item_ids)
    items.to_parquet(folder / "items.parquet")
    write_manifest(folder, {"table": "plays"}, folder / "items.parquet", paths)


def _load_shards(folder: Path) -> str:
    shards = rv.read_shards(folder)
    return _digest([*_facts(shards.in_memory()), shards.item_counts.tolist()])


@cache
def _split() -> rv.Split:
    return rv.split_users(plays(), n_validation=5, n_test=5)


@cache
def _measured() -> Run:
    """A run, as a comparison measures it."""
    split = _split()
    model = rv.Popularity().fit(split.train)
    report = rv.evaluate(model, split.test)
    return Run(model, report, pd.Series({"ndcg@10": 0.1}), 0.1, 10, 80)


def _load_run(folder: Path) -> str:
    """Read a cached run, which is measured again if it is damaged."""
    run = RunCache(folder, ["ndcg@100"]).get(rv.Popularity(), _split(), _measured)
    facts = [run.report.per_user.to_dict(), run.report.mean.to_dict(), run.curve.to_dict()]
    return _digest([*facts, run.training_seconds, run.n_parameters, run.n_bytes])


@cache
def _fitted() -> rv.models.Recommender:
    return build("mult-vae").fit(plays())


def _save_codes(folder: Path) -> None:
    codes = SparseCodes(features=8, active=2, epochs=1)
    codes.fit(_fitted(), plays().matrix).save(folder)


def _load_codes(folder: Path) -> str:
    codes = SparseCodes.load(folder, _fitted())
    lists = codes.recommend(plays().matrix, 3)
    return _digest([options.values(codes), *(part.tobytes() for part in lists)])


def _work(folder: Path) -> str:
    """Begin a job, or go on with one that is done."""
    with job_in(folder, {"table": "plays", "lines": 100}):
        pass
    (folder / "_SUCCESS").unlink()
    return "done"


def _tune(folder: Path) -> str:
    """Make two trials, or read them; the trials."""
    split = _split()
    tuned = rv.tune(
        rv.EASE(), split.train, split.validation, trials=2, study=folder / "ease.sqlite"
    )
    return _digest([tuned.trials.drop(columns="seconds").to_dict(), tuned.best])


def _digest(facts: list[object]) -> str:
    """A checksum of all that is known of something."""
    return hashlib.sha256(repr(facts).encode("utf8", "surrogatepass")).hexdigest()


OTHERS: dict[str, tuple[Callable[[Path], object], Callable[[Path], str]]] = {
    "cache": (_load_cache, _load_cache),
    "checkpoints": (partial(_train, epochs=2), partial(_train, epochs=3)),
    "shards": (_make_shards, _load_shards),
    "run": (_load_run, _load_run),
    "sparse-codes": (_save_codes, _load_codes),
    "job": (_work, _work),
    "study": (_tune, _tune),
}
"""What is no model: how it is made, and how it is loaded."""

TARGETS = (*MODELS, *OTHERS)
