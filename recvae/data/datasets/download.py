"""Download: where a release is found, or else how it gets there."""

import logging
import os
import re
from pathlib import Path
from tempfile import TemporaryDirectory

import pooch

from recvae.data.datasets.releases import Release
from recvae.data.datasets.unpack import unpack
from recvae.display.progress import progress
from recvae.errors import DownloadError

BASE_URL = "https://files.grouplens.org/datasets/movielens/"
RETRIES = 2
CHUNK_BYTES = 2**18

logger = logging.getLogger(__name__)


def data_directory(data_dir: str | os.PathLike[str] | None = None) -> Path:
    """Where data sets are kept: the argument, or else `RECVAE_DATA`, or else `./data`."""
    return Path(data_dir or os.environ.get("RECVAE_DATA") or "data").expanduser()


def locate(release: Release, directory: Path) -> Path:
    """Find the unpacked folder of a release; unpack its zip, or download it, if need be.

    Args:
        release: which data set.
        directory: the data directory. `NAME/` in it is taken as it is, `NAME.zip` is verified
            and unpacked to `NAME/`.

    Raises:
        DownloadError: no connection, no room, or a zip that is not the published one.
    """
    for name in filter(None, (release.name, release.folder)):
        if (directory / name).is_dir():
            return directory / name
    archive = directory / f"{release.name}.zip"
    if archive.exists():
        _verify(archive, release)
    else:
        _download(release, archive)
    return unpack(archive, release.folder or release.name, directory / release.name)


def _verify(archive: Path, release: Release) -> None:
    """Refuse a zip that somebody put there and that is not the published one."""
    if release.md5 and (found := pooch.file_hash(str(archive), alg="md5")) != release.md5:
        raise DownloadError(
            f"{archive} is not the {release.name} that GroupLens publishes (its md5 is {found}, "
            f"expected {release.md5}): it may be cut short; delete it, or replace it by "
            f"{BASE_URL}{archive.name}."
        )


def _download(release: Release, archive: Path) -> None:
    """Fetch to a temporary file, verify, move into place: there is never half a zip."""
    url = BASE_URL + archive.name
    logger.info("downloading %s to %s", url, archive.parent)
    try:
        _fetch(url, archive, release.md5 or _published_md5(url))
    except (OSError, ValueError) as error:
        raise DownloadError(
            f"{release.name} could not be downloaded: put {url} in the folder "
            f"{archive.parent.absolute()} by other means, as {archive.name}. ({error})"
        ) from error
    logger.info("%s: %s", release.name, release.licence)


def _fetch(url: str, target: Path, md5: str | None) -> None:
    pooch.get_logger().setLevel(logging.WARNING)
    files = pooch.create(
        target.parent,
        base_url="",
        registry={target.name: md5 and f"md5:{md5}"},
        urls={target.name: url},
        retry_if_failed=RETRIES,
    )
    # pooch takes an empty bar for no bar; and it starts the bar anew at the end, so that
    # a bar which waits before it shows could not be wiped.
    bar = progress((), f"downloading {target.name}", total=1, unit="B", unit_scale=True)
    bar.delay = 0
    files.fetch(target.name, downloader=pooch.HTTPDownloader(bar, CHUNK_BYTES))


def _published_md5(url: str) -> str:
    """The md5 that stands beside a zip which GroupLens replaces now and then."""
    with TemporaryDirectory() as folder:
        file = Path(folder) / "md5"
        _fetch(f"{url}.md5", file, None)
        text = file.read_text(encoding="utf8", errors="replace")
    if not (md5 := re.search(r"\b[0-9a-fA-F]{32}\b", text)):
        raise ValueError(f"there is no md5 in {url}.md5")
    return md5.group().lower()
