"""Releases: the published data sets by name, and where they are looked for.

Those of MovieLens are downloaded; the others, declared here, are put there by hand.
"""

import os
from pathlib import Path

from recvae.data.datasets.declaration import (
    HistoryFile,
    Layout,
    Release,
    SectionFiles,
    Size,
    TableFile,
)
from recvae.data.datasets.movielens import MOVIELENS
from recvae.disk.paths import path_of

NETFLIX = Release(
    name="netflix",
    home="https://www.kaggle.com/datasets/netflix-inc/netflix-prize-data",
    size=Size(100_480_507, 480_189, 17_770),
    layout=Layout(
        ratings=(SectionFiles(("combined_data_*.txt", "mv_*.txt", "training_set/mv_*.txt")),)
    ),
    licence=(
        "Netflix Prize data (Bennett and Lanning, 2007): for research, acknowledged in what you "
        "publish; not to be passed on, nor used commercially."
    ),
)

MOVIETWEETINGS = Release(
    name="movietweetings-100k",
    home="https://github.com/sidooms/MovieTweetings",
    size=Size(100_000, 16_554, 10_506),
    layout=Layout(
        ratings=(
            TableFile(
                ("ratings.dat",),
                {"user": "int32", "item": "string", "rating": "float32", "timestamp": "int64"},
                "::",
            ),
        ),
        items=TableFile(
            ("movies.dat",), {"item": "string", "title": "string", "genres": "string"}, "::"
        ),
        zeros=True,
    ),
    licence="MovieTweetings (Dooms, De Pessemier and Martens, 2013): MIT.",
)

LASTFM = Release(
    name="lastfm-2k",
    home="https://grouplens.org/datasets/hetrec-2011/",
    size=Size(92_834, 1_892, 17_632),
    layout=Layout(
        ratings=(
            TableFile(
                ("user_artists.dat",),
                {"user": "int32", "item": "int32", "rating": "float32"},
                "\t",
                ("userID", "artistID", "weight"),
            ),
        ),
        items=TableFile(
            ("artists.dat",),
            {"item": "int32", "title": "string", "url": None, "picture": None},
            "\t",
            ("id", "name", "url", "pictureURL"),
        ),
    ),
    licence=(
        "HetRec 2011 Last.FM data (Cantador, Brusilovsky and Kuflik, 2011): not for commercial "
        "use, acknowledged in what you publish. The terms are in the readme that comes with it."
    ),
)

GOWALLA = Release(
    name="gowalla",
    home="https://github.com/gusye1234/LightGCN-PyTorch",
    size=Size(1_027_370, 29_858, 40_981),
    layout=Layout(ratings=(HistoryFile(("train.txt",)), HistoryFile(("test.txt",)))),
    licence=(
        "Gowalla check-ins (Cho, Myers and Leskovec, 2011) as LightGCN (He et al., 2020) filters "
        "them: no licence is stated; to be acknowledged in what you publish."
    ),
)

ALL = (*MOVIELENS, LASTFM, MOVIETWEETINGS, GOWALLA, NETFLIX)
RELEASES = {release.name: release for release in ALL}
"""Every published data set by its name."""

SAMPLE = "sample"
DATASETS = {SAMPLE: Size(222_520, 3_000, 1_200)} | {one.name: one.size for one in ALL}
"""What `load_dataset` knows by name, and its size; that of `ml-latest` grows with time."""


def data_directory(data_dir: str | os.PathLike[str] | None = None) -> Path:
    """Where data sets are kept: the argument, or else `RECVAE_DATA`, or else `./data`."""
    return path_of(data_dir or os.environ.get("RECVAE_DATA") or "data")


def unpacked(release: Release, directory: Path) -> Path | None:
    """The folder of a release in the data directory, if it is there."""
    names = [release.name] if release.zip is None else [release.name, release.zip.folder]
    return next(filter(Path.is_dir, (directory / name for name in names)), None)


def archive_of(release: Release, directory: Path) -> Path:
    """The zip of a release in the data directory, whether it is there or not."""
    return directory / f"{release.name}.zip"
