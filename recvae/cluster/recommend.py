"""Recommend: writes lists for the users of shards, a file for each shard."""

from functools import lru_cache, partial
from os import PathLike
from pathlib import Path

import numpy as np

from recvae.cluster.job import job_in
from recvae.cluster.tasks import run
from recvae.data.ids import look_up
from recvae.data.interactions import Interactions
from recvae.data.matrices import placed
from recvae.data.reading.histories import warn_of_unknown
from recvae.data.shards import Shards, read_shards
from recvae.disk.manifest import MAX_BYTES
from recvae.disk.paths import path_of
from recvae.disk.store import sha256
from recvae.disk.untrusted import read_file
from recvae.disk.writing import write_tables
from recvae.errors import DataError, OptionError
from recvae.models import load_model
from recvae.models.contract.recommender import Recommender
from recvae.saved.storage import MANIFEST


def recommend_shard(
    number: int, *, model: Path, digest: str, shards: Path, out: Path, k: int, device: str
) -> None:
    """Write the lists of a shard's users, unless they are there already.

    `model`, `shards` and `out` are folders; `digest` is the checksum of the model's manifest.

    Raises:
        DataError: the model or the shard is damaged, or another than it was.
    """
    path = lists_path(out, number)
    if path.exists():
        return
    fitted = _load(model, digest, device)
    data = read_shards(shards).read(number)
    rows, columns = np.arange(data.shape[0]), look_up(data.item_ids, fitted.item_ids_)
    histories = placed(data.matrix, rows, columns, (len(rows), len(fitted.items_)))
    known = Interactions(histories, data.users, fitted.items_)
    write_tables(fitted.recommend_named(known, k), path)


def recommend_shards(
    model: str | PathLike[str],
    shards: str | PathLike[str],
    out: str | PathLike[str],
    k: int = 10,
    *,
    device: str = "auto",
    address: str | None = None,
) -> list[Path]:
    """Recommend k items to every user of shards, as `recommend_table` does.

    Each shard's lists become a Parquet file, so that the same call goes on with a job that was
    ended early.

    Args:
        model: the folder of a saved model.
        shards: the folder of shards of what each user has had so far.
        out: the folder for the lists: one line per user and rank, users in ascending order.
        k: length of the lists.
        device: the device of the model; with "cuda", a task on Ray takes a GPU.
        address: where the tasks run, see `recvae.cluster.tasks.run`.

    Returns:
        The files, in the order of the users.

    Raises:
        MissingFileError: there is no such model, or there are no shards.
        ModelFileError: the model is damaged.
        DataError: a shard is damaged, no item is known, or `out` has other files.
        OptionError: k is out of range, there is no cluster at the address, `out` is the folder of
            the histories, or the model reads their order.
    """
    model, shards, out = (path_of(path).absolute() for path in (model, shards, out))
    if out == shards:
        raise OptionError(f"{out} has the histories: choose another folder for the lists.")
    histories = read_shards(shards)
    digest = _digest(model, device)
    loaded = _load(model, digest, device)
    if loaded.reads_order:
        raise OptionError(f"{loaded.name} reads the order of a history, which shards do not hold.")
    _report_unknown(loaded, histories)
    about = {"model": digest, "histories": histories.fingerprint(), "k": k}
    work = partial(
        recommend_shard, model=model, digest=digest, shards=shards, out=out, k=k, device=device
    )
    gpus = 1 if device.startswith("cuda") else 0
    with job_in(out, about):
        run(work, len(histories), "recommending", address=address, gpus=gpus)
    return [lists_path(out, number) for number in range(len(histories))]


def lists_path(out: Path, number: int) -> Path:
    """The path of the lists of a shard's users, which are there whole or not at all."""
    return out / f"lists-{number:05}.parquet"


def _report_unknown(model: Recommender, histories: Shards) -> None:
    known = look_up(histories.item_ids, model.item_ids_) >= 0
    if not known.any():
        raise DataError(
            "the model knows no item of the histories: theirs are such as "
            f"{histories.item_ids[0]}, the model's such as {model.item_ids_[0]}."
        )
    if not known.all():
        counts = histories.item_counts
        example = histories.item_ids[~known][0]
        warn_of_unknown(counts[~known].sum(), counts.sum(), example, "item", stacklevel=4)


def _digest(model: Path, device: str) -> str:
    if not (model / MANIFEST).is_file():
        load_model(model, device=device)  # says what is wrong
    return sha256(read_file(model / MANIFEST, MAX_BYTES))


@lru_cache(maxsize=1)
def _load(folder: Path, digest: str, device: str) -> Recommender:
    """Load a model once in each process, if it has not changed since the job began."""
    model = load_model(folder, device=device)
    if _digest(folder, device) != digest:
        raise DataError(f"the model in {folder} has changed meanwhile: begin again, elsewhere.")
    return model
