"""The Netflix Prize: ratings in sections by movie, in files that have to be at hand."""

from io import BytesIO
from os import PathLike
from pathlib import Path

import numpy as np
import pyarrow as pa
from pyarrow import csv

from recvae.data.datasets.cache import cached
from recvae.data.interactions import Interactions
from recvae.data.reading import build_interactions
from recvae.errors import DataError, MissingFileError

PLACES = ("combined_data_*.txt", "mv_*.txt", "training_set/mv_*.txt")
"""How the files are called: as Kaggle passes them on, or as Netflix published them."""

COLUMNS = {"user": pa.int32(), "rating": pa.float32(), "date": pa.date32()}

DAY = 86_400
"""Seconds."""


def read_netflix(
    folder: str | PathLike[str],
    *,
    min_rating: float | None = None,
    min_user_items: int = 1,
    min_item_users: int = 1,
) -> Interactions:
    """Read the Netflix Prize data set (Bennett and Lanning 2007), 100,480,507 ratings.

    It is not to be had from its publisher any more. Its files hold a section for each movie:

        1:
        1488844,3,2005-09-06
        822109,5,2005-05-13

    Once parsed it is kept in a cache (`RECVAE_CACHE` says where), until it changes.

    Args:
        folder: where `combined_data_1.txt` to `_4` are, or `training_set/mv_0000001.txt` to
            `_0017770`.
        min_rating: keep ratings of at least this.
        min_user_items: keep users with at least this many movies.
        min_item_users: keep movies with at least this many users.

    Returns:
        Users x movies with ratings as weights, and timestamps.

    Raises:
        MissingFileError: the files are not there.
        DataError: a file is damaged, or the filters leave nothing.
    """
    paths = _files(Path(folder).expanduser())
    return cached(paths, lambda: _build(paths)).filter(
        min_weight=min_rating, min_user_items=min_user_items, min_item_users=min_item_users
    )


def _files(folder: Path) -> list[Path]:
    for place in PLACES:
        if paths := sorted(folder.glob(place)):
            return paths
    raise MissingFileError(f"none of {', '.join(PLACES)} is in {folder}: put them there.")


def _build(paths: list[Path]) -> Interactions:
    parts = [_read(path) for path in paths]
    return build_interactions(*(np.concatenate(columns) for columns in zip(*parts, strict=True)))


def _read(path: Path) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Users, movies, ratings and seconds [n] of a file."""
    try:
        table = _parse(path.read_bytes())
    except (pa.ArrowException, ValueError) as error:
        raise DataError(f"{path} is not as Netflix published it ({error}).") from None
    users, ratings, days = (table[name].to_numpy() for name in COLUMNS)
    is_movie = np.isnan(ratings)
    if not is_movie[:1].all():
        raise DataError(f"{path} does not begin with a movie, such as `1:`.")
    movies = users[is_movie][np.cumsum(is_movie) - 1]
    seconds = days[~is_movie].astype("datetime64[D]").astype(np.int64) * DAY
    return users[~is_movie], movies[~is_movie], ratings[~is_movie], seconds


def _parse(text: bytes) -> pa.Table:
    """A line per rating; a movie's line `1:` is read as one without rating and date."""
    return csv.read_csv(
        BytesIO(text.replace(b":", b",,")),
        csv.ReadOptions(column_names=list(COLUMNS)),
        convert_options=csv.ConvertOptions(column_types=COLUMNS),
    )
