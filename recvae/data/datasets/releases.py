"""Releases: the published data sets by name, and where they are looked for."""

import os
from pathlib import Path

from recvae.data.datasets.declaration import Release, Size
from recvae.data.datasets.elsewhere import GOWALLA, LASTFM, MOVIETWEETINGS, NETFLIX
from recvae.data.datasets.movielens import MOVIELENS

RELEASES = {
    release.name: release for release in (*MOVIELENS, LASTFM, MOVIETWEETINGS, GOWALLA, NETFLIX)
}
"""Every published data set by its name."""

SAMPLE = "sample"
DATASETS = {
    SAMPLE: Size(222_520, 3_000, 1_200),
    **{name: release.size for name, release in RELEASES.items()},
}
"""What `load_dataset` knows by name, and its size; that of `ml-latest` grows with time."""


def data_directory(data_dir: str | os.PathLike[str] | None = None) -> Path:
    """Where data sets are kept: the argument, or else `RECVAE_DATA`, or else `./data`."""
    return Path(data_dir or os.environ.get("RECVAE_DATA") or "data").expanduser()


def unpacked(release: Release, directory: Path) -> Path | None:
    """The folder of a release in the data directory, if it is there."""
    places = (directory / name for name in release.folders)
    return next(filter(Path.is_dir, places), None)


def archive_of(release: Release, directory: Path) -> Path:
    """The zip of a release in the data directory, whether it is there or not."""
    return directory / f"{release.name}.zip"
