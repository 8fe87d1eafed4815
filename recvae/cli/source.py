"""Where the data come from: a named set, a file, a database or shards, and how it is read."""

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

import recvae as rv
from recvae.cli.arguments import names

_Data = partial(typer.Option, rich_help_panel="Data")

Merging = Annotated[
    Literal["sum", "max", "last"] | None,
    typer.Option(
        "--duplicates",
        rich_help_panel="Data",
        help="A file's lines of the same user and item: their sum (for counts), the most, or the "
        "last (for ratings).",
        show_default="last with --value, else their number",
    ),
]


@dataclass(frozen=True, kw_only=True)
class Columns:
    """The names of a table's columns."""

    user: Annotated[str, _Data(help="A file's column of users.")] = "user"
    item: Annotated[str, _Data(help="A file's column of items.")] = "item"
    value: Annotated[
        str | None,
        _Data(help="A file's column of weights; models read them with --set input=counts only."),
    ] = None


@dataclass(frozen=True, kw_only=True)
class FileColumns(Columns):
    """The names of the columns of a file, which may be text without a header."""

    columns: Annotated[
        str | None,
        _Data(
            metavar="NAMES",
            help="The names of all columns of a text file without a header, separated by commas.",
        ),
    ] = None

    timestamp: Annotated[
        str | None,
        _Data(help="A file's column of times, for splits by time and models that read the order."),
    ] = None

    no_quotes: Annotated[
        bool, _Data("--no-quotes", help='Take " as a part of the text of a text file.')
    ] = False

    query: Annotated[
        str | None, _Data(help="What to select from a database, in its SQL.", metavar="SQL")
    ] = None

    duplicates: Merging = None

    @property
    def header(self) -> list[str] | None:
        """The names of all columns, if they are given."""
        return None if self.columns is None else names(self.columns)


@dataclass(frozen=True, kw_only=True)
class DataOptions(FileColumns):
    """Where the data come from."""

    items: Annotated[
        Path | None,
        _Data(
            help="CSV, TSV or Parquet file of what is known of the items, a line each, in a column "
            "of items as in the data; those that nobody has are added.",
            show_default=False,
        ),
    ] = None
    users: Annotated[
        Path | None,
        _Data(
            help="CSV, TSV or Parquet file of what is known of the users, a line each, in a column "
            "of users as in the data.",
            show_default=False,
        ),
    ] = None
    data_dir: Annotated[
        Path | None,
        _Data(help="Folder of the data sets known by name; else $RECVAE_DATA, else ./data."),
    ] = None

    @property
    def reading(self) -> dict[str, Any]:
        """What `read_interactions` is told of a table."""
        return {
            "user": self.user,
            "item": self.item,
            "value": self.value,
            "timestamp": self.timestamp,
            "columns": self.header,
            "quotes": not self.no_quotes,
            "query": self.query,
            "duplicates": self.duplicates,
        }

    def read(
        self, data: str, *, min_weight: float | None = None, **filters: Any
    ) -> "rv.Interactions":
        """Read a named data set, a file, a folder of Parquet files, or a database."""
        from recvae.data.datasets.releases import DATASETS

        if are_shards(data):
            raise typer.BadParameter(
                f"{data} holds shards, which only train, evaluate and recommend can read: give "
                "the table that they were made from."
            )
        if is_file(data):
            read = rv.read_interactions(data, min_weight=min_weight, **self.reading, **filters)
        else:
            if data in DATASETS:
                require_usual(data, self)
            read = rv.load_dataset(data, min_rating=min_weight, data_dir=self.data_dir, **filters)
        if self.users is not None:
            read = read.with_user_info(rv.read_items(self.users, self.user))
        return read if self.items is None else read.with_items(rv.read_items(self.items, self.item))


def require_usual(data: str, columns: FileColumns) -> None:
    """Raise typer.BadParameter if columns are named for data whose columns are known."""
    named = (columns.user, columns.item) != (Columns.user, Columns.item)
    given = (columns.value, columns.timestamp, columns.columns, columns.query, columns.duplicates)
    if named or any(one is not None for one in given):
        raise typer.BadParameter(
            f"the columns of {data} are known: leave out --user and all else that is of columns."
        )


def are_shards(data: str | Path) -> bool:
    """Whether this is a folder of shards."""
    from recvae.data.shards import has_shards

    return has_shards(Path(data))


def is_file(data: str) -> bool:
    """Whether this is a path, existing or mistyped, and not the name of a data set."""
    path = Path(data)
    return path.exists() or bool(path.suffix) or path.name != data
