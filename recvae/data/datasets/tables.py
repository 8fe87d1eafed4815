"""Tables: what a data set says, as DataFrames with uniform columns; and Interactions from them."""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd

from recvae.data.datasets.declaration import Release, TableFile
from recvae.data.datasets.files import find_files, one_clear_error, read_file
from recvae.data.interactions import Interactions
from recvae.data.reading import build_interactions

YEAR = r"\((\d{4})\)\s*$"
NO_GENRES = "(no genres listed)"


@dataclass(frozen=True, eq=False)
class Tables:
    """The tables of a data set, in the order of its files.

    Attributes:
        ratings: `user` and `item`; where they are known `rating` (float32; stars, or how often
            something was played) and `timestamp` (seconds since 1970).
        items: `item`, `title`, and where they are known `genres` (joined by "|", "" where there
            are none); None if the data set has no such table.
        users: `user` and what is known of the users; None if the data set has no such table.
            ML-100K and ML-1M: `age` (ML-1M: the lower end of an age range), `gender`,
            `occupation` (ML-1M: a code explained in its README), `zip_code`.
        tags: `user`, `item`, `tag`, `timestamp`; None if the data set has no such table.
    """

    ratings: pd.DataFrame
    items: pd.DataFrame | None = None
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
        _ratings(folder, release),
        _items(folder, release, layout.items) if layout.items else None,
        _described(folder, release, layout.users, "user") if layout.users else None,
        _read(folder, release, layout.tags) if layout.tags else None,
    )


def read_release(folder: Path, release: Release) -> Interactions:
    """Read an unpacked release as Interactions, its ratings as weights."""
    untagged = replace(release, layout=replace(release.layout, tags=None))
    tables = read_tables(folder, untagged)
    return to_interactions(tables, year_ends_title=release.layout.year_ends_title)


def to_interactions(tables: Tables, *, year_ends_title: bool) -> Interactions:
    """Ratings as users x items, with what is known of the users and the items that have any.

    A weight is above 0, so that ratings of 0 are dropped.
    """
    ratings = tables.ratings
    if "rating" in ratings and not ratings["rating"].all():
        ratings = ratings[ratings["rating"] > 0]
    data = build_interactions(
        *(
            ratings[name].to_numpy() if name in ratings else None
            for name in ("user", "item", "rating", "timestamp")
        ),
        duplicates="last",
    )
    if tables.items is not None:
        items = tables.items.set_index("item").reindex(data.item_ids)
        if year_ends_title:
            items["year"] = items["title"].str.extract(YEAR, expand=False).astype("Int16")
        data = replace(data, items=items)
    if tables.users is not None:
        data = replace(data, users=tables.users.set_index("user").reindex(data.user_ids))
    return data


def _ratings(folder: Path, release: Release) -> pd.DataFrame:
    parts = []
    for file in release.layout.ratings:
        for path in find_files(folder, release, file):
            part = read_file(path, release, file)
            with one_clear_error(path, release):
                _require_ratings(part, release.layout.lowest_rating)
            parts.append(part)
    return parts[0] if len(parts) == 1 else pd.concat(parts, ignore_index=True)


def _require_ratings(table: pd.DataFrame, lowest: int | None) -> None:
    """Raise ValueError unless the ratings, if there are any, are in their range."""
    if "rating" not in table:
        return
    stars = table["rating"].to_numpy()
    in_range = stars > 0 if lowest is None else stars >= lowest
    if not (np.isfinite(stars).all() and in_range.all()):
        least = "above 0" if lowest is None else f"from {lowest} up"
        raise ValueError(f"it has ratings that are not {least}")


def _items(folder: Path, release: Release, file: TableFile) -> pd.DataFrame:
    items = _described(folder, release, file, "item")
    if flags := list(release.layout.genres):
        items["genres"] = _joined(items[flags])
    if "genres" in items:
        items["genres"] = items["genres"].where(items["genres"] != NO_GENRES, "")
    return items.drop(columns=flags)


def _joined(flags: pd.DataFrame) -> pd.Series:
    """A column of 0 and 1 for each genre, as names joined by "|"."""
    names = np.array([f"{genre}|" for genre in flags], dtype=object)
    joined = np.dot(flags.to_numpy(dtype=object), names)
    return pd.Series(joined, index=flags.index).str.rstrip("|")


def _described(folder: Path, release: Release, file: TableFile, key: str) -> pd.DataFrame:
    """A table with one line for each user or item."""
    table = _read(folder, release, file)
    with one_clear_error(folder / file.name, release):
        if twice := int(table[key].duplicated().sum()):
            raise ValueError(f"it describes {twice:,} {key}s twice")
    return table


def _read(folder: Path, release: Release, file: TableFile) -> pd.DataFrame:
    (path,) = find_files(folder, release, file)
    return read_file(path, release, file)
