"""`recvae update`: a saved model learns what is new."""

from pathlib import Path
from typing import Annotated

import typer

import recvae as rv
from recvae.cli.arguments import FOLDER, PLACE, Device, Json, ModelFolder, names
from recvae.cli.output import make_folder, note, show
from recvae.cli.source import DataOptions
from recvae.disk.databases import is_address
from recvae.errors import MissingFileError


def update(
    model: ModelFolder,
    *,
    data: Annotated[str | None, PLACE] = None,
    remove_users: Annotated[str | None, typer.Option(metavar="IDS")] = None,
    out: Annotated[Path, FOLDER],
    columns: DataOptions,
    min_rating: Annotated[
        float | None, typer.Option("--min-rating", "--min-weight", show_default="as in training")
    ] = None,
    device: Device = "auto",
    json: Json = False,
) -> None:
    """Let a saved model learn new likes, users and items, without training it from the beginning.

    The model must have been trained with --keep-data. Items keep their places and new ones are
    added. The folder is replaced in one step: a server that watches it takes the new model, and
    after any failure the old one is there. The same update made twice does no harm.

    [bold]Examples[/bold]

    $ recvae train --data likes.csv --split none --model ease --out runs/shop --keep-data

    $ recvae update runs/shop --data today.csv --out runs/shop

    $ recvae update runs/shop --remove-users 4711,4712 --out runs/shop

    Options:
        data: CSV, TSV or Parquet file, a folder of Parquet files or, with --query, a database, of
            what is new: likes of known and of new users, of known and of new items. What the model
            knows already may be in it too.
        remove_users: users to forget, separated by commas.
        out: folder to save the model to; it may be the same one.
        min_rating: with --value: a like weighs at least this.
    """
    if data is None and remove_users is None:
        raise typer.BadParameter("there is nothing to do: give --data, --remove-users or both.")
    if data is not None and not (is_address(data) or Path(data).exists()):
        raise MissingFileError(f"there is no file or folder {data}.")
    recommender = rv.load_model(model, device=device)
    before = recommender.n_users_, len(recommender.items_)
    if min_rating is None and columns.value is not None:
        min_rating = recommender.min_weight_
    all_of_it = {"min_user_items": 0, "min_item_users": 0}
    new = None if data is None else columns.read(data, min_weight=min_rating, **all_of_it)
    make_folder(out, data)
    recommender.update(new, remove_users=names(remove_users or ""))
    recommender.save(out)
    note(f"saved to {out}")
    after = recommender.n_users_, len(recommender.items_)
    facts = {"users": after[0], "items": after[1]}
    added = {f"more_{name}": facts[name] - had for name, had in zip(facts, before, strict=True)}
    text = ", ".join(f"{facts[name]:,} {name} ({added[f'more_{name}']:+,})" for name in facts)
    show(text, {"model": recommender.name, "folder": str(out), **facts, **added}, json)
