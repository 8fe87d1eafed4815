"""`recvae data`: lists the data sets, or shows what is in one."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

import recvae as rv
from recvae.cli.arguments import Json
from recvae.cli.output import records, show
from recvae.cli.source import DataOptions

QUANTILES = {
    "least": 0,
    "5%": 0.05,
    "25%": 0.25,
    "median": 0.5,
    "75%": 0.75,
    "95%": 0.95,
    "most": 1,
}
N_POPULAR = 10


def data(
    name: Annotated[str | None, typer.Argument()] = None,
    *,
    source: DataOptions,
    min_rating: Annotated[float | None, typer.Option("--min-rating", "--min-weight")] = None,
    json: Json = False,
) -> None:
    """List the data sets, or show what is in one (it is downloaded if need be).

    [bold]Examples[/bold]

    $ recvae data

    $ recvae data ml-100k

    $ recvae data plays.tsv --user userID --item artistID --value weight

    Options:
        name: a data set's name, or a file; without it, the list.
        min_rating: keep what is rated, or weighs, this.
    """
    if name is None:
        lines = _list(source.data_dir)
        show(_list_as_text(lines), lines, json)
    else:
        facts = _describe(source.read(name, min_weight=min_rating))
        show(_facts_as_text(facts), facts, json)


def _list(data_dir: Path | None) -> list[dict[str, Any]]:
    """A line for each data set; its megabytes are None if it is downloaded by hand."""
    from recvae.data.datasets import releases

    here, lines = releases.data_directory(data_dir), []
    for name, size in releases.DATASETS.items():
        line = {"name": name, **asdict(size), "megabytes": 0, "present": True}
        if (release := releases.RELEASES.get(name)) is not None:
            packed = release.zip is not None and releases.archive_of(release, here).exists()
            line["present"] = packed or releases.unpacked(release, here) is not None
            line["megabytes"] = None if release.zip is None else release.zip.megabytes
        lines.append(line)
    return lines


def _list_as_text(lines: list[dict[str, Any]]) -> str:
    text = f"{'name':<19} {'ratings':>11} {'users':>8} {'items':>7} {'download':>9}  here"
    for line in lines:
        download = {None: "by hand", 0: "none"}.get(line["megabytes"], f"{line['megabytes']} MB")
        text += "\n{name:<19} {ratings:>11,} {users:>8,} {items:>7,} ".format(**line)
        text += f"{download:>9}  {'yes' if line['present'] else 'no'}"
    return text


def _describe(data: "rv.Interactions") -> dict[str, Any]:
    import numpy as np

    n_users, n_items = data.shape
    lengths = np.quantile(np.diff(data.matrix.indptr), list(QUANTILES.values()))
    popular = data.items.assign(users=data.item_counts).nlargest(N_POPULAR, "users").reset_index()
    shown = popular.columns.intersection(["item", "title", "users"])
    return {
        "users": n_users,
        "items": n_items,
        "interactions": data.matrix.nnz,
        "density": data.matrix.nnz / (n_users * n_items),
        "items_per_user": dict(zip(QUANTILES, lengths.tolist(), strict=True)),
        "popular": records(popular[shown]),
    }


def _facts_as_text(facts: dict[str, Any]) -> str:
    lengths = ", ".join(f"{name} {n:,.0f}" for name, n in facts["items_per_user"].items())
    return "\n".join(
        [
            f"users           {facts['users']:,}",
            f"items           {facts['items']:,}",
            f"interactions    {facts['interactions']:,}",
            f"density         {facts['density']:.2%}",
            f"items per user  {lengths}",
            "\nmost popular, by users",
            *(f"{one['users']:>8,}  {one.get('title', one['item'])}" for one in facts["popular"]),
        ]
    )
