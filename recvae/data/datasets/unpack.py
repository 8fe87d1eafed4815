"""Unpack: unpacks a downloaded zip safely."""

import zipfile
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory

from recvae.errors import DownloadError

MAX_BYTES = 8 * 2**30
MAX_FILES = 1000


def unpack(archive: Path, folder: str, target: Path) -> Path:
    """Unpack one folder of a zip; it appears whole at `target`, or not at all.

    Raises:
        DownloadError: the zip is damaged, leads out of its folder, or would unpack to more than
            `MAX_BYTES` or `MAX_FILES`; or `target` can't be written.
    """
    try:
        with (
            zipfile.ZipFile(archive) as content,
            TemporaryDirectory(dir=target.parent, prefix=f".{target.name}-") as temporary,
        ):
            content.extractall(temporary, _safe_members(content, archive, folder))
            _move(Path(temporary) / folder, target)
    except DownloadError:
        raise
    except Exception as error:  # each way to compress has errors of its own
        raise DownloadError(
            f"{archive} could not be unpacked to {target} ({error}): delete the zip if it is "
            "damaged, make room or permit writing if not."
        ) from error
    return target


def _safe_members(content: zipfile.ZipFile, archive: Path, folder: str) -> list[zipfile.ZipInfo]:
    """The files of a folder of a zip; `zipfile` makes no links and reads no more than stated."""
    members = [member for member in content.infolist() if not member.is_dir()]
    for member in members:
        path = PurePosixPath(member.filename.replace("\\", "/"))
        if path.is_absolute() or ".." in path.parts or ":" in "".join(path.parts[:1]):
            raise DownloadError(
                f"{archive} would write outside of its folder ({member.filename!r}): "
                "it is not the zip that is published; delete it."
            )
    members = [member for member in members if member.filename.startswith(f"{folder}/")]
    if not members:
        raise DownloadError(f"{archive} holds no folder {folder}/: delete it, it is another zip.")
    size = sum(member.file_size for member in members)
    if size > MAX_BYTES or len(members) > MAX_FILES:
        raise DownloadError(
            f"{archive} would unpack to {size / 2**30:,.0f} GiB in {len(members):,} files: it is "
            "not the zip that is published; delete it."
        )
    return members


def _move(source: Path, target: Path) -> None:
    try:
        source.rename(target)
    except OSError:
        if not target.is_dir():  # another process was faster
            raise
