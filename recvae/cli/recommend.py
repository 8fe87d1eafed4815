"""`recvae recommend`: lists for the users of a file."""

import sys
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

import recvae as rv
from recvae.cli.arguments import (
    Address,
    Device,
    FileColumns,
    Json,
    ModelFolder,
    are_shards,
    require_outside,
    require_usual,
)
from recvae.cli.output import note, show
from recvae.errors import DataError

if TYPE_CHECKING:
    from pandas import DataFrame


def recommend(
    model: ModelFolder,
    *,
    history: Annotated[
        Path,
        typer.Option(
            help="CSV, TSV or Parquet file of who has what, in a column of users and one of items; "
            "with the items' column alone they are all one user's. Every line counts as a like: "
            "leave out low ratings. - reads them from stdin. Or a folder of shards, whose users "
            "may be any number."
        ),
    ],
    columns: FileColumns,
    k: Annotated[int, typer.Option("-k", help="Length of the lists.")] = 10,
    out: Annotated[
        Path | None,
        typer.Option(
            help="File to write to instead, .csv or .parquet, as the lists are made: they may be "
            "any number. Of shards, a folder, for a Parquet file of each.",
        ),
    ] = None,
    address: Address = None,
    device: Device = "auto",
    json: Json = False,
) -> None:
    """Recommend items to users, known to the model or new, from what they have had so far.

    [bold]Examples[/bold]

    $ recvae recommend runs/vae --history mine.csv -k 10

    $ recvae recommend runs/vae --history all.parquet --user userID --out lists.parquet

    $ recvae recommend runs/vae --history shards --out lists --address auto
    """
    if are_shards(history):
        require_usual("shards", columns)
        if json:
            raise typer.BadParameter("the lists of shards go to the files of --out: no --json.")
        if out is None:
            raise typer.BadParameter("--out is missing: the folder for the lists of shards.")
        files = rv.recommend_shards(model, history, out, k, device=device, address=address)
        note(f"written to {out}, in {len(files)} files")
    elif address is not None:
        raise typer.BadParameter("--address is for shards: `recvae shard` makes them of a table.")
    elif json and out is not None:
        raise typer.BadParameter("the lists go to the file of --out: no --json.")
    else:
        if out is not None:
            require_outside(out, history)
        with _opened(history) as file:
            histories = _read(file, columns)
        _recommend(model, histories, columns, k, out, device, json)


def _opened(history: Path) -> AbstractContextManager[Path]:
    """A context with the history's file, or with a copy of a pipe or of stdin, as - is called."""
    from recvae.data.reading.sources import as_file

    if history == Path("-"):
        return as_file(Path("stdin"), sys.stdin.buffer)
    return as_file(history)


def _recommend(
    model: Path,
    histories: "DataFrame",
    columns: FileColumns,
    k: int,
    out: Path | None,
    device: str,
    json: bool,
) -> None:
    import pandas as pd

    from recvae.disk.writing import write_tables

    recommender = rv.load_model(model, device=device)
    tables = recommender.recommend_tables(
        histories, k, user=columns.user, item=columns.item, value=columns.value
    )
    if out is None:
        table = pd.concat(tables, ignore_index=True)
        show(_lists(table), table.to_dict(orient="records"), json)
    else:
        write_tables(tables, out)
        note(f"written to {out}")


def _read(path: Path, names: FileColumns) -> "DataFrame":
    import pandas as pd

    from recvae.data.reading import read_columns

    user, item, header, quotes = names.user, names.item, names.header, not names.no_quotes
    if header == [item] or (header is None and _names_one_column(path, item)):
        columns = {user: path.stem, **read_columns(path, [item], header=header, quotes=quotes)}
    else:
        others = [] if names.value is None else [names.value]
        columns = read_columns(path, [user, item], others, header, quotes=quotes)
    histories = pd.DataFrame(columns)
    if histories.empty:
        raise DataError(f"{path} holds no interactions: give it at least one line.")
    return histories


def _names_one_column(path: Path, item: str) -> bool:
    """Whether the first line is only the name of the items' column."""
    from recvae.data.reading.files import first_line, is_parquet

    return path.is_file() and not is_parquet(path) and first_line(path) == [item]


def _lists(table: "DataFrame") -> str:
    lines = table["rank"].map("{:>4}  ".format) + table["item"].astype(str)
    if "title" in table:
        lines += ("  " + table["title"].astype(str)).where(table["title"].notna(), "")
    return "\n\n".join(
        "\n".join([str(user), *own]) for user, own in lines.groupby(table["user"], sort=False)
    )
