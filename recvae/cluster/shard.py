"""Shard: a table of any size becomes shards of users, as `read_interactions` would read it."""

from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from recvae.cluster.filters import Chosen, Count, Write, choose
from recvae.cluster.job import Files, FileTask, Job
from recvae.cluster.sorting import Merge, Partition, Scan, read_notes
from recvae.cluster.table import Table, find_table, fingerprint
from recvae.cluster.tasks import run
from recvae.data.reading.tables import require_value
from recvae.data.shards import Shards, has_shards, read_shards
from recvae.data.shards.manifest import n_lines, write_manifest
from recvae.disk import atomic
from recvae.errors import DataError, OptionError

LINES = 2**20
SAMPLES = 256
"""Users that are noted for as many lines as a shard has, to part the users by."""


def shard_table(
    table: str | PathLike[str],
    out: str | PathLike[str],
    *,
    user: str = "user",
    item: str = "item",
    value: str | None = None,
    min_weight: float | None = None,
    min_user_items: int = 1,
    min_item_users: int = 1,
    k_core: bool = False,
    lines: int = LINES,
    address: str | None = None,
) -> Shards:
    """Cut a table of interactions into shards of users, of which none needs all of the memory.

    The shards hold what `read_interactions` would read with the same arguments: the same users,
    items and weights, in the same order. The same call goes on with a job that was ended early.

    Args:
        table: a Parquet file, or a folder of them, which are read in the order of their paths.
        out: the folder for the shards, and for work in between, about as large as the table.
        user: name of the column of user ids, all integers or all strings.
        item: name of the column of item ids, likewise.
        value: name of the column of weights; None counts each line as one.
        min_weight: keep interactions of at least this weight.
        min_user_items: keep users with at least this many items.
        min_item_users: keep items with at least this many users.
        k_core: hold both minimums at once, see `Interactions.filter`.
        lines: how many lines of the table are in memory at a time, in each process; but a row
            group, and all lines of a user, are never parted.
        address: where the work is done, see `recvae.cluster.tasks.run`.

    Returns:
        The shards.

    Raises:
        MissingFileError: there is no such table.
        DataError: the table is not Parquet or can't be read as one, nothing is left, or `out` holds
            something else.
        OptionError: `lines` is not above 0, `min_weight` comes without `value`, or there is no
            cluster at the address.
    """
    if lines < 1:
        raise OptionError(f"lines={lines} must be at least 1.")
    require_value(min_weight, value)
    table, out = (Path(path).expanduser().absolute() for path in (table, out))
    filters = {"min_user_items": min_user_items, "min_item_users": min_item_users, "k_core": k_core}
    columns: dict[str, Any] = {"user": user, "item": item, "value": value}
    files = {"table": fingerprint(table), "lines": lines, "min_weight": min_weight}
    found = find_table(table, **columns, positive=min_weight is not None, lines=lines)
    with Job(out, files | columns | filters) as job:
        if not has_shards(out):
            _Sharding(job, found, lines, address).run(min_weight, filters)
    return read_shards(out)


@dataclass
class _Sharding:
    """The steps of a job."""

    job: Job
    table: Table
    lines: int
    address: str | None

    def run(self, min_weight: float | None, filters: dict[str, Any]) -> None:
        """Sort the lines by users, filter them, write them."""
        bounds, items = self._scan()
        self.n_shards = len(bounds) + 1
        parts = self._files("parts-{:05}.arrow")
        partition = Partition(table=self.table, bounds=bounds, items=self._keep(items), out=parts)
        self._do(partition, self.n_chunks, "parting")
        users = self._files("users-{:05}.parquet")
        merge = Merge(
            parts=parts,
            n_chunks=self.n_chunks,
            n_items=len(items),
            min_weight=min_weight,
            out=users,
        )
        self._do(merge, self.n_shards, "merging")
        chosen, counts = choose(users, len(items), count=self._count, **filters)
        if not counts.any():
            given = ", ".join(f"{name}={value}" for name, value in filters.items())
            raise DataError(f"no interaction is left after min_weight={min_weight}, {given}.")
        self._write(chosen, counts, items)

    def _scan(self) -> tuple[pd.Index, pd.Index]:
        """Where to cut the users, and all items."""
        notes = self._files("notes-{:05}.parquet")
        scan = Scan(table=self.table, stride=max(self.lines // SAMPLES, 1), out=notes)
        self._do(scan, self.n_chunks, "scanning")
        return read_notes(notes, self.n_chunks, -(-self.table.n_lines // self.lines))

    def _count(self, chosen: Chosen, name: str) -> np.ndarray:
        counts = self._files(f"counts-{name}-{{:05}}.npz")
        self._do(Count(chosen=chosen, out=counts), self.n_shards, "counting")
        total = np.zeros(len(chosen.items), dtype=np.int64)
        for number in range(self.n_shards):
            with np.load(counts[number]) as file:
                total[file["items"]] += file["users"]
        return total

    def _write(self, chosen: Chosen, counts: np.ndarray, items: pd.Index) -> None:
        shards = Files(self.job.folder, "shard-{:05}.parquet")
        self._do(Write(chosen=chosen, items=counts > 0, out=shards), self.n_shards, "writing")
        paths = [shards[number] for number in range(self.n_shards)]
        filled = [path for path in paths if n_lines(path)]
        table = pd.DataFrame({"users": counts[counts > 0]}, index=items[counts > 0])
        final = self.job.folder / "items.parquet"
        with atomic.draft_of(final) as draft:
            table.to_parquet(draft)
        write_manifest(self.job.folder, self.job.about, final, filled)
        for path in set(paths) - set(filled):
            path.unlink()

    def _keep(self, items: pd.Index) -> Path:
        """Write the items where each task finds them."""
        path = self.job.work / "items.parquet"
        with atomic.draft_of(path) as draft:
            pd.DataFrame(index=items).to_parquet(draft)
        return path

    def _do(self, work: FileTask, n_tasks: int, label: str) -> None:
        run(work, n_tasks, label, address=self.address)

    def _files(self, name: str) -> Files:
        return Files(self.job.work, name)

    @property
    def n_chunks(self) -> int:
        return len(self.table.chunks)
