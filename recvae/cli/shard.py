"""`recvae shard`: cuts a table of any size into shards on the disk."""

from pathlib import Path
from typing import Annotated

import typer

import recvae as rv
from recvae.cli.arguments import FOLDER, Json
from recvae.cli.experiment import Filters
from recvae.cli.output import note, show
from recvae.cli.source import Columns


def shard(
    table: Annotated[Path, typer.Argument()],
    columns: Columns,
    filters: Filters,
    *,
    out: Annotated[Path, FOLDER],
    lines: Annotated[int, typer.Option(min=1)] = 2**20,
    memory: Annotated[
        float | None, typer.Option(show_default="four fifths of the machine's")
    ] = None,
    json: Json = False,
) -> None:
    """Cut a table that does not fit into memory into shards, for train, evaluate and recommend.

    The shards hold what the same table would give in memory. The same command goes on
    with a job that was ended early.

    [bold]Examples[/bold]

    $ recvae shard plays/ --user userID --item artistID --out shards

    $ recvae train --data shards --model mult-vae --out runs/vae

    $ recvae recommend runs/vae --history shards --out lists

    $ recvae shard plays/ --out shards --memory 2

    Options:
        table: a Parquet file, or a folder of such files and folders.
        out: folder for the shards; while they are made, it holds about as much as the table.
        lines: interactions of a shard, about; a user's are never parted.
        memory: gigabytes of memory to take while the table is sorted.
    """
    shards = rv.shard_table(
        table,
        out,
        min_weight=filters.min_rating,
        **columns.columns_by_purpose,
        **filters.filters,
        lines=lines,
        memory=memory,
    )
    note(f"written to {out}")
    n_users, n_items = shards.shape
    facts = {"users": n_users, "items": n_items, "interactions": int(shards.item_counts.sum())}
    show(shards, {"folder": str(out), **facts, "shards": len(shards)}, json)
