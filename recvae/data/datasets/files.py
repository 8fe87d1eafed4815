"""Files: what a release consists of, found in its folder and read, with one clear error."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pandas as pd
import pyarrow as pa

from recvae.data.datasets.declaration import RatingFile, Release
from recvae.data.datasets.parsing import parse
from recvae.errors import DataError, MissingFileError


def find_files(folder: Path, release: Release, file: RatingFile) -> list[Path]:
    """Where a file of a release is, or all of them that are called alike.

    Raises:
        MissingFileError: there is none.
    """
    for place in file.places:
        if paths := sorted(path for path in folder.glob(place) if path.is_file()):
            return paths
    names = " or ".join(file.places)
    raise MissingFileError(f"{names} is missing in {folder}: {_cure(release, folder)}")


def read_file(path: Path, release: Release, file: RatingFile) -> pd.DataFrame:
    """Parse a file of a release.

    Raises:
        DataError: it is damaged, cut short, empty, or of another layout.
    """
    with one_clear_error(path, release):
        table = parse(file, path)
        if table.empty:
            raise ValueError("it has no rows")
    return table


@contextmanager
def one_clear_error(path: Path, release: Release) -> Iterator[None]:
    """Make a DataError of what is wrong with a file of a release."""
    try:
        yield
    except (pa.ArrowException, ValueError, KeyError) as error:
        raise DataError(
            f"{path} is damaged or not as {release.name} is published ({error}): "
            f"{_cure(release, path.parent)}"
        ) from None


def _cure(release: Release, folder: Path) -> str:
    if release.zip is None:
        return f"put the files there that {release.home} offers."
    return (
        f"delete or move the folder {folder}, and the data set will be fetched and unpacked again."
    )
