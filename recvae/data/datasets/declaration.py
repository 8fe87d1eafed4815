"""Declaration: where a published data set is found, and how its files are written."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

ColumnType: TypeAlias = Literal["int8", "int16", "int32", "int64", "float32", "string"]


@dataclass(frozen=True)
class File:
    """A file of a release, or several that are written alike.

    Attributes:
        places: patterns of names; all files of the first pattern that matches are read.
    """

    places: tuple[str, ...]


@dataclass(frozen=True)
class TableFile(File):
    """A file with a line per rating, item, user or tag.

    Attributes:
        columns: our name and the type of each column, in the file's order; None for a column
            that is not read.
        separator: the text between two fields; "," also means that fields may be quoted.
        header: the published names of the columns, if the first line has them.
        encoding: the encoding of the text.
    """

    columns: Mapping[str, ColumnType | None]
    separator: str
    header: tuple[str, ...] = ()
    encoding: str = "utf8"


class SectionFiles(File):
    """Files with a section per item: a line `item:`, then lines `user,rating,year-month-day`."""


class HistoryFile(File):
    """A file with a line per user: the user, then the items; integers separated by spaces."""


@dataclass(frozen=True)
class Layout:
    """The files of a release; None for what it does not have.

    Attributes:
        ratings: `user` and `item`, with a `rating` and a `timestamp` if these are known; several
            files are read one after another.
        items: `item`, `title`, and `genres` if these are known; then titles end in a year.
        users: `user` and columns that describe the users.
        tags: `user`, `item`, `tag`, `timestamp`.
        genres: the columns of the items that are 1 for the genres of an item, if genres are
            written so.
        zeros: whether ratings can be 0; else they are above 0.
    """

    ratings: tuple[File, ...]
    items: TableFile | None = None
    users: TableFile | None = None
    tags: TableFile | None = None
    genres: tuple[str, ...] = ()
    zeros: bool = False

    @property
    def interaction_files(self) -> list[File]:
        """The files that Interactions are made of."""
        return [*self.ratings, *(file for file in (self.items, self.users) if file)]


@dataclass(frozen=True)
class Size:
    """How large a data set is, as its publisher states it."""

    ratings: int
    users: int
    items: int


@dataclass(frozen=True)
class Zip:
    """The zip that a release is downloaded as.

    Attributes:
        url: the address of the zip.
        folder: the folder in the zip that has the files.
        megabytes: the size of the zip.
        md5: the checksum of the zip; None if the zip is replaced now and then: then its checksum
            is published at the url + ".md5".
    """

    url: str
    folder: str
    megabytes: int
    md5: str | None = None


@dataclass(frozen=True)
class Release:
    """A published data set.

    Attributes:
        name: what `load_dataset` calls it, and its folder in the data directory.
        home: where it is published.
        size: how large it is.
        layout: how its files are written.
        licence: what its users may do, in short.
        zip: what to download; None if it has to be put into the data directory by hand.
    """

    name: str
    home: str
    size: Size
    layout: Layout
    licence: str
    zip: Zip | None = None
