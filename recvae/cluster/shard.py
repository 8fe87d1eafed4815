"""Shard: cuts a table of any size into shards of users, as `read_interactions` would read it."""

from functools import partial
from os import PathLike
from pathlib import Path
from typing import Any

from duckdb import DuckDBPyConnection

from recvae.cluster import entries
from recvae.cluster.database import database_in
from recvae.cluster.job import job_in
from recvae.cluster.table import fingerprint, select_lines
from recvae.data.reading.build import Duplicates, way_to_merge
from recvae.data.reading.tables import require_value
from recvae.data.shards import Shards, has_shards, read_shards
from recvae.data.shards.files import write_manifest, write_shard
from recvae.disk import atomic
from recvae.disk.paths import path_of
from recvae.display.progress import progress
from recvae.errors import DataError, OptionError

LINES = 2**20


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
    duplicates: Duplicates | None = None,
    lines: int = LINES,
    memory: float | None = None,
) -> Shards:
    """Cut a table of interactions into shards of users, without having all of it in memory.

    The shards have the same users, items and weights, in the same order, as `read_interactions`
    reads with the same arguments, which are not listed here; the last of duplicates is the last by
    line. The same call goes on with a job that was ended early.

    Args:
        table: a Parquet file, or a folder of them, which are read in the order of their paths.
        out: the folder for the shards, and for work in between, about as large as the table.
        lines: about how many interactions a shard has; all of a user are in the same shard.
        memory: gigabytes that sorting the table may take; None for four fifths of the machine's.

    Returns:
        The shards.

    Raises:
        MissingFileError: there is no such table.
        DataError: the table is not Parquet or can't be read as one, no interaction remains, or
            `out` has other files.
        OptionError: `lines` or a minimum is not above 0, `min_weight` comes without `value`,
            `memory` is too little, or `out` is in the folder of the table.
        WriteError: the disk is full.
    """
    minimums: dict[str, Any] = {"min_user_items": min_user_items, "min_item_users": min_item_users}
    for name, given in {"lines": lines, **minimums}.items():
        if given < 1:
            raise OptionError(f"{name}={given} must be at least 1.")
    require_value(min_weight, value)
    way_to_merge(duplicates, weighted=value is not None)
    table, out = (path_of(path).absolute() for path in (table, out))
    if out.is_relative_to(table):
        raise OptionError(f"{out} would change the table that is read: choose another folder.")
    columns: dict[str, Any] = {"user": user, "item": item, "value": value}
    about = {"table": fingerprint(table), "lines": lines, "min_weight": min_weight}
    about |= {"duplicates": duplicates, **columns, **minimums, "k_core": k_core}
    select, weighted = select_lines(table, **columns), value is not None
    with job_in(out, about) as work:
        if not has_shards(out):
            with database_in(work, memory) as database:
                steps = [
                    partial(entries.read_lines, select, positive=min_weight is not None),
                    partial(entries.number_ids, name="user"),
                    partial(entries.number_ids, name="item"),
                    partial(entries.merge_lines, duplicates=duplicates, weighted=weighted),
                    partial(
                        entries.filter_entries, min_weight=min_weight, k_core=k_core, **minimums
                    ),
                    entries.order_entries,
                ]
                for step in progress(steps, "sorting", unit="step"):
                    step(database)
                _write(out, about, database, lines)
    return read_shards(out)


def _write(out: Path, about: dict[str, Any], database: DuckDBPyConnection, lines: int) -> None:
    """Write the shards that are not there yet, the items, and the manifest."""
    runs = entries.cut_users(database, lines)
    if not runs:
        raise DataError("no interaction is left after the filters: lower the minimums.")
    shards = [out / f"shard-{number:05}.parquet" for number in range(len(runs))]
    for path, run in zip(shards, progress(runs, "writing", unit="shard"), strict=True):
        if not path.exists():
            with atomic.draft_of(path) as draft:
                write_shard(entries.read_users(database, *run), draft)
    items = out / "items.parquet"
    with atomic.draft_of(items) as draft:
        entries.read_items(database).to_parquet(draft)
    write_manifest(out, about, items, shards)
