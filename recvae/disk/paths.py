"""Paths: those that users name, in which ~ is a home."""

from os import PathLike
from pathlib import Path

from recvae.errors import OptionError


def path_of(named: str | PathLike[str]) -> Path:
    """A path that a user named, with the home in the place of ~.

    Raises:
        OptionError: nobody knows that home.
    """
    try:
        return Path(named).expanduser()
    except RuntimeError:
        raise OptionError(
            f"the ~ of {named} stands for no home that is known here: write the path in full, or "
            f"./{named} if that is its name."
        ) from None
