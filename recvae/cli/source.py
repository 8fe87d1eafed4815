"""Where the data come from: a named set, a file, a database or shards, and how it is read."""

from dataclasses import dataclass, fields
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

import recvae as rv
from recvae.cli.arguments import names


@dataclass(frozen=True, kw_only=True)
class Columns:
    """The names of a table's columns, and how lines of the same user and item are merged.

    Data options:
        user: a file's column of users.
        item: a file's column of items.
        value: a file's column of weights; models read them with --set input=counts only.
        duplicates: a file's lines of the same user and item: their sum (for counts), the most, or
            the last (for ratings).
    """

    user: str = "user"
    item: str = "item"
    value: str | None = None
    duplicates: Annotated[
        Literal["sum", "max", "last"] | None,
        typer.Option(show_default="last with --value, else their number"),
    ] = None

    @property
    def columns_by_purpose(self) -> dict[str, Any]:
        """What all that reads tables is told of them."""
        return {name: getattr(self, name) for name in ("user", "item", "value", "duplicates")}


@dataclass(frozen=True, kw_only=True)
class FileColumns(Columns):
    """The names of the columns of a file, which may be text without a header.

    Data options:
        columns: the names of all columns of a text file without a header, separated by commas.
        timestamp: a file's column of times, for splits by time and models that read the order.
        no_quotes: take " as a part of the text of a text file.
        query: what to select from a database, in its SQL.
    """

    columns: Annotated[str | None, typer.Option(metavar="NAMES")] = None
    timestamp: str | None = None
    no_quotes: bool = False
    query: Annotated[str | None, typer.Option(metavar="SQL")] = None

    @property
    def header(self) -> list[str] | None:
        """The names of all columns, if they are given."""
        return None if self.columns is None else names(self.columns)


@dataclass(frozen=True, kw_only=True)
class DataOptions(FileColumns):
    """Where the data come from.

    Data options:
        items: CSV, TSV or Parquet file of what is known of the items, a line each, in a column of
            items as in the data; those that nobody has are added.
        users: CSV, TSV or Parquet file of what is known of the users, a line each, in a column of
            users as in the data.
        data_dir: folder of the data sets known by name; else $RECVAE_DATA, else ./data.
    """

    items: Annotated[Path | None, typer.Option(show_default=False)] = None
    users: Annotated[Path | None, typer.Option(show_default=False)] = None
    data_dir: Path | None = None

    @property
    def reading(self) -> dict[str, Any]:
        """What `read_interactions` is told of a table."""
        return self.columns_by_purpose | {
            "timestamp": self.timestamp,
            "columns": self.header,
            "quotes": not self.no_quotes,
            "query": self.query,
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
    if any(getattr(columns, field.name) != field.default for field in fields(FileColumns)):
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
