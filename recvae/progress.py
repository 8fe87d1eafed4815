"""Progress bars: on stderr, only for what takes over two seconds, only on a terminal."""

from collections.abc import Iterable
from typing import Any

from tqdm.auto import tqdm


def progress(iterable: Iterable[Any], label: str, **options: Any) -> "tqdm[Any]":
    """Show how far a loop has come; `TQDM_DISABLE=1` silences it everywhere."""
    return tqdm(iterable, desc=label, disable=None, delay=2, leave=False, **options)
