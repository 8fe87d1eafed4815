"""`recvae recommend`: lists for the users of a file."""

import sys
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

import recvae as rv
from recvae.cli.arguments import PLACE, Device, Json, ModelFolder, at_home, names
from recvae.cli.output import note, records, require_outside, show
from recvae.cli.source import FileColumns, are_shards, require_usual
from recvae.disk.databases import is_address
from recvae.errors import DataError

if TYPE_CHECKING:
    from pandas import DataFrame


@dataclass(frozen=True, kw_only=True)
class Wishes:
    """What is wanted of the lists beside the best scores.

    Lists options:
        allow: what may be recommended, such as what is in stock: a file with an id a line, or a
            table with a column of items.
        deny: what may not be recommended, in the same form.
        diversity: how much the genres of a list shall differ, from 0 to 1.
        cap: at most N items of a list have the same label in a column of the items' table, such as
            genres=3.
        pin: items that come first in the lists of all who do not have them, separated by commas.
        as_of: lists as of a moment, such as 2026-01-31: what users had before it, by the times of
            --timestamp, is all that is read.
        users: what is known of the users, a table with a line each, for a model trained with
            --user-features: by it, those without a history get lists too.
    """

    allow: Annotated[Path | None, typer.Option(metavar="FILE")] = None
    deny: Annotated[Path | None, typer.Option(metavar="FILE")] = None
    diversity: float = 0
    cap: Annotated[str | None, typer.Option(metavar="COLUMN=N")] = None
    pin: Annotated[str | None, typer.Option(metavar="IDS")] = None
    as_of: Annotated[str | None, typer.Option(metavar="TIME")] = None
    users: Annotated[Path | None, typer.Option(metavar="FILE")] = None

    def options(self, columns: FileColumns) -> dict[str, Any]:
        """The arguments of `recommend_tables`."""
        from recvae.ranking.rerank import Cap, Diversity, Pin, Step

        steps: list[Step] = [Diversity(self.diversity)] if self.diversity else []
        if self.cap is not None:
            column, _, most = self.cap.rpartition("=")
            if not (column and most.isdecimal()):
                raise typer.BadParameter(f"--cap {self.cap} is not COLUMN=N, such as genres=3.")
            steps.append(Cap(int(most), column))
        if self.pin is not None:
            steps.append(Pin(names(self.pin)))
        users = None if self.users is None else rv.read_items(self.users, columns.user)
        allow, deny = (
            None if file is None else _ids(file, columns.item) for file in (self.allow, self.deny)
        )
        return {"rerank": steps, "user_features": users, "allow": allow, "deny": deny}


def recommend(
    model: ModelFolder,
    *,
    history: Annotated[
        str | None,
        typer.Option(callback=at_home, show_default="none: --users alone says who they are"),
    ] = None,
    columns: FileColumns,
    wishes: Wishes,
    k: Annotated[int, typer.Option("-k")] = 10,
    out: Annotated[str | None, PLACE] = None,
    address: Annotated[str | None, typer.Option(show_default="this process")] = None,
    device: Device = "auto",
    json: Json = False,
) -> None:
    """Recommend items to users, known to the model or new, from what they have had so far.

    [bold]Examples[/bold]

    $ recvae recommend runs/vae --history mine.csv -k 10

    $ recvae recommend runs/vae --history all.parquet --user userID --out lists.parquet

    $ recvae recommend runs/vae --history postgresql://reader@db/shop
    --query 'SELECT customer AS "user", product AS item FROM orders' --out postgresql://writer@db/shop#lists

    $ recvae recommend runs/vae --history mine.csv --allow stock.csv --diversity 0.5 --cap genres=3

    $ recvae recommend runs/shop --users newcomers.csv

    $ recvae recommend runs/vae --history shards --out lists --address auto

    Options:
        history: CSV, TSV or Parquet file of who has what, in a column of users and one of items;
            with the items' column alone they are all one user's. Every line counts as a like,
            unless --value names ratings: low ones are left out of the lists. - reads them from
            stdin. Or a database, with --query; or a folder of shards, whose users may be any
            number.
        k: length of the lists.
        out: file to write to instead, .csv or .parquet, as the lists are made: they may be any
            number. Or the table of a database, postgresql://user@host/shop#lists, which is replaced
            as a whole. Of shards, a folder, for a Parquet file of each.
        address: do the work on Ray: `local` starts it on this machine, `auto` or HOST:PORT finds a
            cluster, whose machines must see the same files.
    """
    import pandas as pd

    from recvae.disk.writing import write_tables

    if history is None and wishes.users is None:
        raise typer.BadParameter("nobody is named: give --history, --users, or both.")
    if history is not None and are_shards(history):
        folder = _folder_for_lists(out, columns, wishes, json=json)
        files = rv.recommend_shards(model, history, folder, k, device=device, address=address)
        note(f"written to {out}, in {len(files)} files")
        return
    if address is not None:
        raise typer.BadParameter("--address is for shards: `recvae shard` makes them of a table.")
    if json and out is not None:
        raise typer.BadParameter("the lists go to the file of --out: no --json.")
    if out is not None:
        require_outside(out, history)
    histories = _read(history, columns, wishes.as_of)
    tables = rv.load_model(model, device=device).recommend_tables(
        histories,
        k,
        timestamp=columns.timestamp,
        **columns.columns_by_purpose,
        **wishes.options(columns),
    )
    if out is None:
        table = pd.concat(tables, ignore_index=True)
        show(_lists(table), records(table), json)
    else:
        write_tables(tables, out)
        note(f"written to {out}")


def _folder_for_lists(out: str | None, columns: FileColumns, wishes: Wishes, *, json: bool) -> str:
    """The folder for the lists of shards; typer.BadParameter for what goes only with tables."""
    require_usual("shards", columns)
    if wishes != Wishes():
        raise typer.BadParameter("shards get the model's lists: leave out --allow and its like.")
    if json:
        raise typer.BadParameter("the lists of shards go to the files of --out: no --json.")
    if out is None or is_address(out):
        raise typer.BadParameter("the lists of shards go to a folder: name it by --out.")
    return out


def _opened(history: str) -> AbstractContextManager[str | Path]:
    """A context with the history's file, or with a copy of a pipe or of stdin, as - is called."""
    from recvae.data.reading.sources import as_file

    if is_address(history):
        return nullcontext(history)
    if history == "-":
        return as_file(Path("stdin"), sys.stdin.buffer)
    return as_file(Path(history))


def _read(history: str | None, names: FileColumns, as_of: str | None) -> "DataFrame":
    """The table of the histories before a moment; without a line if there is no file."""
    import pandas as pd

    from recvae.data.reading import read_columns
    from recvae.data.reading.sources import fields_of
    from recvae.data.reading.times import to_moment, to_seconds

    user, item, header = names.user, names.item, names.header
    others = [name for name in (names.value, names.timestamp) if name is not None]
    if history is None:
        return pd.DataFrame({name: [] for name in (user, item, *others)})
    with _opened(history) as source:
        read = partial(
            read_columns, source, header=header, quotes=not names.no_quotes, query=names.query
        )
        is_named = header is None and Path(source).is_file()
        if (fields_of(Path(source)) if is_named else header) == [item]:
            columns = {user: Path(source).stem, **read([item])}
        else:
            columns = read([user, item], others)
    histories = pd.DataFrame(columns)
    if as_of is not None:
        if names.timestamp not in histories:
            raise typer.BadParameter("--as-of needs times: name their column by --timestamp.")
        histories = histories[to_seconds(histories[names.timestamp]) < to_moment(as_of)]
    if histories.empty:
        when = "" if as_of is None else f" before {as_of}"
        raise DataError(f"{history} holds no interactions{when}: give it at least one line.")
    return histories


def _ids(path: Path, item: str) -> Any:
    """The ids of a file: a table with a column of items, or an id a line."""
    from recvae.data.reading import read_columns
    from recvae.data.reading.parquet import is_parquet
    from recvae.data.reading.sources import as_file
    from recvae.data.reading.text import first_line

    with as_file(path) as file:
        is_text = file.is_file() and not is_parquet(file)
        is_list = is_text and item not in first_line(file)
        return read_columns(file, [item], header=[item] if is_list else None)[item]


def _lists(table: "DataFrame") -> str:
    lines = table["rank"].map("{:>4}  ".format).astype(str) + table["item"].astype(str)
    if "title" in table:
        lines += ("  " + table["title"].astype(str)).where(table["title"].notna(), "")
    return "\n\n".join(
        "\n".join([str(user), *own]) for user, own in lines.groupby(table["user"], sort=False)
    )
