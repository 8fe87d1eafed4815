"""Progress bars: on stderr, only for what takes over two seconds, only on a terminal."""

import os
from collections.abc import Iterable
from typing import Any

from tqdm.auto import tqdm


def progress(iterable: Iterable[Any], label: str, **options: Any) -> "tqdm[Any]":
    """Show how far a loop has come; `TQDM_DISABLE=1` silences it everywhere."""
    disable = None if is_rank_zero() else True
    return tqdm(iterable, desc=label, disable=disable, delay=2, leave=False, **options)


def is_rank_zero() -> bool:
    """Whether this process should print and save: it is alone, or the first of torchrun's."""
    return os.environ.get("RANK", "0") == "0"
