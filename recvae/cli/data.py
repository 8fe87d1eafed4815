"""`recvae data`: lists the data sets, or shows what is in one."""

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

import recvae as rv
from recvae.cli.arguments import Json
from recvae.cli.output import show
from recvae.cli.source import DataOptions

if TYPE_CHECKING:
    from recvae.data.datasets.declaration import Release

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
    from recvae.data.datasets.releases import DATASETS, RELEASES, data_directory

    here = data_directory(data_dir)
    return [
        {"name": name, **asdict(size), **_availability(RELEASES.get(name), here)}
        for name, size in DATASETS.items()
    ]


def _availability(release: "Release | None", directory: Path) -> dict[str, Any]:
    """The megabytes to download (None: by hand, 0: none), and whether the data set is here."""
    from recvae.data.datasets.releases import archive_of, unpacked

    if release is None:
        return {"megabytes": 0, "present": True}
    present = unpacked(release, directory) is not None
    if release.zip is None:
        return {"megabytes": None, "present": present}
    present = present or archive_of(release, directory).exists()
    return {"megabytes": release.zip.megabytes, "present": present}


def _list_as_text(lines: list[dict[str, Any]]) -> str:
    head = f"{'name':<19} {'ratings':>11} {'users':>8} {'items':>7} {'download':>9}  here"
    return "\n".join([head, *(_line(**line) for line in lines)])


def _line(
    name: str, ratings: int, users: int, items: int, megabytes: int | None, present: bool
) -> str:
    download = {None: "by hand", 0: "none"}.get(megabytes, f"{megabytes} MB")
    here = "yes" if present else "no"
    return f"{name:<19} {ratings:>11,} {users:>8,} {items:>7,} {download:>9}  {here}"


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
        "popular": popular[shown].to_dict(orient="records"),
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
