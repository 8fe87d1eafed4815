"""Loading: loads a data set by its name."""

from os import PathLike
from pathlib import Path

from recvae.data.datasets.cache import cached
from recvae.data.datasets.declaration import Release
from recvae.data.datasets.download import locate
from recvae.data.datasets.releases import DATASETS, RELEASES, SAMPLE, data_directory
from recvae.data.datasets.sample import sample_tables
from recvae.data.datasets.tables import Tables, find_files, read_tables, to_interactions
from recvae.data.interactions import Interactions
from recvae.errors import require_known


def load_dataset(
    name: str,
    *,
    min_rating: float | None = None,
    min_user_items: int = 1,
    min_item_users: int = 1,
    k_core: bool = False,
    data_dir: str | PathLike[str] | None = None,
) -> Interactions:
    """Load a data set by name: a published one, or the generated sample.

    It is looked for in the data directory, unpacked or as its zip. If it is not there, a MovieLens
    release is downloaded; the others have to be put there by hand, and an error says which files.
    Once parsed a data set is kept in a cache (`RECVAE_CACHE` says where), until it changes.

    Args:
        name: "sample", "ml-100k", "ml-1m", "ml-10m", "ml-20m", "ml-25m", "ml-32m",
            "ml-latest-small", "ml-latest", "lastfm-2k", "movietweetings-100k", "gowalla" or
            "netflix".
        min_rating: keep ratings of at least this; for "lastfm-2k", the least number of plays.
        min_user_items: keep users with at least this many items.
        min_item_users: keep items with at least this many users.
        k_core: hold both minimums at once, see `Interactions.filter`.
        data_dir: the data directory; else the one that `RECVAE_DATA` names, else `./data`.

    Returns:
        Users x items with ratings as weights, and with timestamps and the titles, genres and years
        of the items if the data set has them. Of a user's ratings of the same item the last one in
        the file counts. Ratings of 0, which "movietweetings-100k" has, are dropped.

    Raises:
        OptionError: no data set has this name.
        DownloadError: the data set is not there and could not be fetched or unpacked.
        MissingFileError: a file of it is missing, or it has to be put there by hand.
        DataError: a file of it is damaged, or no interaction remains after the filters.
    """
    if name == SAMPLE:
        data = to_interactions(sample_tables())
    else:
        release, folder = _located(name, data_dir)
        files = release.layout.interaction_files
        sources = [path for file in files for path in find_files(folder, release, file)]
        data = cached(
            sources, lambda: to_interactions(read_tables(folder, release, with_tags=False))
        )
    return data.filter(
        min_weight=min_rating,
        min_user_items=min_user_items,
        min_item_users=min_item_users,
        k_core=k_core,
    )


def load_tables(name: str, *, data_dir: str | PathLike[str] | None = None) -> Tables:
    """Load a data set's tables as they are: ratings, items, users and tags.

    Args:
        name: see `load_dataset`.
        data_dir: see `load_dataset`.

    Raises:
        OptionError, DownloadError, MissingFileError, DataError: see `load_dataset`.
    """
    if name == SAMPLE:
        return sample_tables()
    release, folder = _located(name, data_dir)
    return read_tables(folder, release)


def _located(name: str, data_dir: str | PathLike[str] | None) -> tuple[Release, Path]:
    """A published data set and its folder."""
    require_known(name, DATASETS, "there is no data set")
    return RELEASES[name], locate(RELEASES[name], data_directory(data_dir))
