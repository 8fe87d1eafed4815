"""Packages: imports of optional packages, with a clear error if one is missing."""

from importlib import import_module
from typing import Any

from recvae.errors import MissingPackageError


def optional(module: str, install: str) -> Any:
    """Import a module of a package that may not be installed.

    Raises:
        MissingPackageError: it is not; the message says how to install it.
    """
    try:
        return import_module(module)
    except ImportError as error:
        package = module.partition(".")[0]
        raise MissingPackageError(f"{package} is not installed: pip install {install}.") from error


def sklearn(module: str) -> Any:
    """Import a module of scikit-learn."""
    return optional(f"sklearn.{module}", "'recvae[latent]'")
