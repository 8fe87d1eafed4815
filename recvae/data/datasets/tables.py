"""Tables: what a data set says, as DataFrames with uniform columns; and Interactions from them."""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa

from recvae.data.datasets.declaration import File, Layout, Release
from recvae.data.datasets.parsing import parse
from recvae.data.interactions import Interactions
from recvae.data.reading import build_interactions
from recvae.errors import DataError, MissingFileError

YEAR = r"\((\d{4})\)\s*$"
NO_GENRES = "(no genres listed)"


@dataclass(frozen=True, eq=False)
class Tables:
    """The tables of a data set, in the order of its files; None for those that it has not.

    Attributes:
        ratings: `user` and `item`; where they are known `rating` (float32; stars, or how often
            something was played) and `timestamp` (seconds since 1970).
        items: `item`, `title`, and where they are known `genres` (joined by "|", "" where there
            are none).
        users: `user` and what is known of the users. ML-100K and ML-1M: `age` (ML-1M: the lower
            end of an age range), `gender`, `occupation` (ML-1M: a code explained in its README),
            `zip_code`.
        tags: `user`, `item`, `tag`, `timestamp`.
    """

    ratings: pd.DataFrame
    items: pd.DataFrame | None = None
    users: pd.DataFrame | None = None
    tags: pd.DataFrame | None = None


def read_tables(folder: Path, release: Release, *, with_tags: bool = True) -> Tables:
    """Read all tables of an unpacked release, or all but its tags.

    Raises:
        MissingFileError, DataError: a file is not there, or damaged.
    """
    layout = release.layout
    ratings = _read(folder, release, *layout.ratings)
    items, users, tags = (
        _read(folder, release, file) if file else None
        for file in (layout.items, layout.users, layout.tags if with_tags else None)
    )
    return Tables(ratings, None if items is None else _with_genres(items, layout), users, tags)


def to_interactions(tables: Tables) -> Interactions:
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
        if "genres" in items:
            items["year"] = items["title"].str.extract(YEAR, expand=False).astype("Int16")
        data = replace(data, items=items)
    if tables.users is not None:
        data = replace(data, users=tables.users.set_index("user").reindex(data.user_ids))
    return data


def find_files(folder: Path, release: Release, file: File) -> list[Path]:
    """The paths of a release's files that match the first pattern that any does."""
    for place in file.places:
        if paths := sorted(path for path in folder.glob(place) if path.is_file()):
            return paths
    names = " or ".join(file.places)
    raise MissingFileError(f"{names} is missing in {folder}: {_cure(release, folder)}")


def read_file(path: Path, release: Release, file: File) -> pd.DataFrame:
    """Parse a file of a release; raise DataError unless it is whole and of this layout."""
    try:
        table = parse(file, path)
        _require_sound(table, release.layout, file)
    except (pa.ArrowException, OSError, ValueError, KeyError, OverflowError) as error:
        if isinstance(error, OSError) and error.errno:  # of the system, not of what is in the file
            raise
        raise DataError(
            f"{path} is damaged or not as {release.name} is published ({error}): "
            f"{_cure(release, path.parent)}"
        ) from None
    return table


def _read(folder: Path, release: Release, *files: File) -> pd.DataFrame:
    """The tables of files, one after another."""
    places = [(path, file) for file in files for path in find_files(folder, release, file)]
    parts = [read_file(path, release, file) for path, file in places]
    return parts[0] if len(parts) == 1 else pd.concat(parts, ignore_index=True)


def _require_sound(table: pd.DataFrame, layout: Layout, file: File) -> None:
    """Raise ValueError if a table is empty, or has impossible ratings or two lines for one."""
    if table.empty:
        raise ValueError("it has no rows")
    if "rating" in table:
        stars = table["rating"].to_numpy()
        in_range = stars >= 0 if layout.zeros else stars > 0
        if not (np.isfinite(stars) & in_range).all():
            least = "from 0 up" if layout.zeros else "above 0"
            raise ValueError(f"it has ratings that are not {least}")
    for key, described in (("item", layout.items), ("user", layout.users)):
        if file is described and (twice := int(table[key].duplicated().sum())):
            raise ValueError(f"it describes {twice:,} {key}s twice")


def _with_genres(items: pd.DataFrame, layout: Layout) -> pd.DataFrame:
    """Items whose genres, if they are known, are names joined by "|"."""
    flags = items[list(layout.genres)]
    if layout.genres:
        names = np.array([f"{genre}|" for genre in flags], dtype=object)
        joined = np.dot(flags.to_numpy(dtype=object), names)
        items["genres"] = pd.Series(joined, index=items.index).str.rstrip("|")
    if "genres" in items:
        items["genres"] = items["genres"].where(items["genres"] != NO_GENRES, "")
    return items.drop(columns=flags.columns)


def _cure(release: Release, folder: Path) -> str:
    if release.zip is None:
        return f"put the files there that {release.home} offers."
    return (
        f"delete or move the folder {folder}, and the data set will be fetched and unpacked again."
    )
