"""Files: finds and reads the files of a release, with one clear error."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pandas as pd
import pyarrow as pa

from recvae.data.datasets.declaration import RatingFile, Release
from recvae.data.datasets.parsing import parse
from recvae.errors import DataError, MissingFileError


def find_files(folder: Path, release: Release, file: RatingFile) -> list[Path]:
    """The path of a file of a release, or the paths of all files that match its pattern.

    Raises:
        MissingFileError: there is no such file.
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
    """A context in which errors of reading a file of a release become one DataError."""
    try:
        yield
    except (pa.ArrowException, OSError, ValueError, KeyError, OverflowError) as error:
        if isinstance(error, OSError) and error.errno:  # of the system, not of what is in the file
            raise
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
