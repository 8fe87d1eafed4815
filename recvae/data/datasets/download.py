"""Download: finds a release in the data directory, or downloads it."""

import logging
import re
from pathlib import Path
from tempfile import TemporaryDirectory

import pooch

from recvae.data.datasets.declaration import Release, Zip
from recvae.data.datasets.releases import archive_of, unpacked
from recvae.data.datasets.unpack import unpack
from recvae.display.progress import progress
from recvae.errors import DownloadError, MissingFileError

RETRIES = 2
CHUNK_BYTES = 2**18

logger = logging.getLogger(__name__)


def locate(release: Release, directory: Path) -> Path:
    """Find the unpacked folder of a release in the data directory.

    If need be its zip, `NAME.zip`, is verified and unpacked to `NAME/`, or else downloaded before.

    Raises:
        MissingFileError: it is not there, and can't be downloaded: it has to be put there by hand.
        DownloadError: no connection, no room, or a zip that is not the published one.
    """
    if found := unpacked(release, directory):
        return found
    if release.zip is None:
        raise MissingFileError(_by_hand(release, directory))
    archive = archive_of(release, directory)
    if archive.exists():
        _verify(archive, release.zip)
    else:
        _download(release.zip, archive)
        logger.info("%s: %s", release.name, release.licence)
    return unpack(archive, release.zip.folder, directory / release.name)


def _by_hand(release: Release, directory: Path) -> str:
    files = [" or ".join(file.places) for file in release.layout.interaction_files]
    return (
        f"{release.name} is not here and can't be downloaded: get it from {release.home} and put "
        f"its files ({', '.join(files)}) in the folder {directory.absolute() / release.name}."
    )


def _verify(archive: Path, published: Zip) -> None:
    """Raise DownloadError if a zip in the data directory is not the published one."""
    md5 = published.md5
    if md5 and (found := pooch.file_hash(str(archive), alg="md5")) != md5:
        raise DownloadError(
            f"{archive} is not the zip that is published (its md5 is {found}, expected {md5}): it "
            f"may be cut short; delete it, or replace it by {published.url}."
        )


def _download(published: Zip, archive: Path) -> None:
    """Fetch to a temporary file, verify, move into place: there is never half a zip."""
    url = published.url
    logger.info("downloading %s to %s", url, archive.parent)
    try:
        _fetch(url, archive, published.md5 or _published_md5(url))
    except (OSError, ValueError) as error:
        raise DownloadError(
            f"{archive.stem} could not be downloaded: put {url} in the folder "
            f"{archive.parent.absolute()} by other means, as {archive.name}. ({error})"
        ) from error


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
    """The published md5 of a zip that is replaced now and then."""
    with TemporaryDirectory() as folder:
        file = Path(folder) / "md5"
        _fetch(f"{url}.md5", file, None)
        text = file.read_text(encoding="utf8", errors="replace")
    if not (md5 := re.search(r"\b[0-9a-fA-F]{32}\b", text)):
        raise ValueError(f"there is no md5 in {url}.md5")
    return md5.group().lower()
