"""Tables: what a data set says, as DataFrames with uniform columns; and Interactions from them."""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd

from recvae.data.datasets.files import TableFile, damaged, read_table_file
from recvae.data.datasets.releases import FLAGS, Release
from recvae.data.interactions import Interactions
from recvae.data.reading import build_interactions

YEAR = r"\((\d{4})\)\s*$"
NO_GENRES = "(no genres listed)"


@dataclass(frozen=True, eq=False)
class Tables:
    """The tables of a data set, in the order of its files.

    Attributes:
        ratings: `user`, `item`, `rating` (float32, 0.5 to 5), `timestamp` (seconds since 1970).
        items: `item`, `title`, `genres` (joined by "|", "" where there are none).
        users: `user` and what is known of the users; None if the data set has no such table.
            ML-100K and ML-1M: `age` (ML-1M: the lower end of an age range), `gender`,
            `occupation` (ML-1M: a code explained in its README), `zip_code`.
        tags: `user`, `item`, `tag`, `timestamp`; None if the data set has no such table.
    """

    ratings: pd.DataFrame
    items: pd.DataFrame
    users: pd.DataFrame | None = None
    tags: pd.DataFrame | None = None


def read_tables(folder: Path, release: Release) -> Tables:
    """Read all tables of an unpacked release.

    Raises:
        MissingFileError: a file is not there.
        DataError: a file is damaged.
    """
    layout = release.layout
    return Tables(
        _ratings(folder, layout.ratings),
        _items(folder, layout.items),
        _described(folder, layout.users, "user") if layout.users else None,
        read_table_file(folder, layout.tags) if layout.tags else None,
    )


def read_release(folder: Path, release: Release) -> Interactions:
    """Read an unpacked release as Interactions, its ratings as weights."""
    layout = replace(release.layout, tags=None)
    return to_interactions(read_tables(folder, replace(release, layout=layout)))


def to_interactions(tables: Tables) -> Interactions:
    """Ratings as users x items, with what is known of the users and the items that have any."""
    ratings = tables.ratings
    data = build_interactions(
        ratings["user"].to_numpy(),
        ratings["item"].to_numpy(),
        ratings["rating"].to_numpy(),
        ratings["timestamp"].to_numpy(),
        duplicates="last",
    )
    items = tables.items.set_index("item").reindex(data.item_ids)
    items["year"] = items["title"].str.extract(YEAR, expand=False).astype("Int16")
    if tables.users is None:
        return replace(data, items=items)
    return replace(data, items=items, users=tables.users.set_index("user").reindex(data.user_ids))


def _ratings(folder: Path, file: TableFile) -> pd.DataFrame:
    ratings = read_table_file(folder, file)
    stars = ratings["rating"].to_numpy()
    if not (np.isfinite(stars).all() and stars.min() > 0):
        raise damaged(folder / file.name, "it has ratings that are not above 0")
    return ratings


def _items(folder: Path, file: TableFile) -> pd.DataFrame:
    items = _described(folder, file, "item")
    if "genres" not in items:
        items["genres"] = _joined_flags(items)
    items["genres"] = items["genres"].where(items["genres"] != NO_GENRES, "")
    return items[["item", "title", "genres"]]


def _joined_flags(items: pd.DataFrame) -> pd.Series:
    """A column of 0 and 1 for each genre, as names joined by "|"."""
    names = np.array([f"{genre}|" for genre in FLAGS], dtype=object)
    joined = np.dot(items[list(FLAGS)].to_numpy(dtype=object), names)
    return pd.Series(joined, index=items.index).str.rstrip("|")


def _described(folder: Path, file: TableFile, key: str) -> pd.DataFrame:
    """A table with one line for each user or item."""
    table = read_table_file(folder, file)
    if twice := int(table[key].duplicated().sum()):
        raise damaged(folder / file.name, f"it describes {twice:,} {key}s twice")
    return table
