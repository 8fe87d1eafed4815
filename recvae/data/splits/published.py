"""A published split: files say which pairs train and which test, as papers hand them out."""

import warnings
from dataclasses import replace
from os import PathLike

import numpy as np

from recvae.data.interactions import Interactions
from recvae.data.reading import build_interactions, read_lines
from recvae.data.splits.holdout import Split
from recvae.data.splits.parts import split_by
from recvae.disk.paths import path_of
from recvae.errors import MissingFileError

TRAIN, VALIDATION, TEST = FILES = ("train.txt", "valid.txt", "test.txt")
ONE_IN = 10
"""Without `valid.txt`, one in so many training pairs is for validation."""


class SplitWarning(UserWarning):
    """Some pairs of a published split can't be used as they are."""


def read_split(folder: str | PathLike[str], *, seed: int = 98765) -> Split:
    """Read a split that others have published results on: files with a line per user.

        train.txt   test.txt    train      validation   test       final
        a 1 3 4     a 2         T . . T    f . h f      f h f f    T . T T
        b 2 3       b 4         . T T .                 . f f h    . T T .

    A line is a user, then items, separated by spaces; the ids are integers or any text. Every item
    of the files is a column and can be ranked. An item that is in `test.txt` alone counts as missed
    wherever a model does not rank it high; a user who is in `test.txt` alone is left out; a pair
    that is there twice counts once, in the first of the files. Warnings say how many these are.

    Args:
        folder: has `train.txt` and `test.txt`, and perhaps `valid.txt`.
        seed: draws the pairs for validation.

    Returns:
        The users of all files, in training as in `final`. Without `valid.txt` a random tenth of
        the training pairs is for validation: choose options on it, then fit the model on `final`,
        which has all pairs of `train.txt`, as `compare` does. With it `final` is None. For test,
        what is for validation is folded in as well. `rows` are the users' rows in training.

    Raises:
        MissingFileError: `train.txt` or `test.txt` is not there.
        DataError: a file is no text, or no user is left to validate or to test by.
    """
    files = [path_of(folder) / name for name in FILES]
    for path in (files[0], files[2]):
        if not path.is_file():
            raise MissingFileError(
                f"there is no {path}: a published split is a folder with {TRAIN}, {TEST} and, if "
                f"it was published, {VALIDATION}."
            )
    given = [path for path in files if path.is_file()]
    pairs = read_lines(given)
    data = build_interactions(pairs["user"], pairs["item"], duplicates="last")
    # Of the files that have a pair, the first one counts.
    source = np.array([path.name for path in given])[pairs["file"]][data.positions]
    train, validation, test = (source == name for name in FILES)
    _warn(data, len(pairs), train | validation, test)
    final = None
    if not validation.any():
        final, drawn = data.keep(train), np.random.default_rng(seed)
        validation[drawn.choice(np.flatnonzero(train), train.sum() // ONE_IN, replace=False)] = True
        train &= ~validation
    return replace(split_by(data, train, validation, test), final=final)


def _warn(data: Interactions, n_pairs: int, visible: np.ndarray, test: np.ndarray) -> None:
    """Warn of pairs that are there twice, and of test pairs of unknown users and items."""
    unknown = [
        np.count_nonzero(test & ~np.isin(codes, codes[visible]))
        for codes in (data.rows, data.matrix.indices)
    ]
    told = {
        "pairs that are there twice, and count once, in the first file": (
            n_pairs - data.matrix.nnz
        ),
        "test pairs of users without a training pair, which are left out": unknown[0],
        "test pairs with items that no user has in training, which are kept": unknown[1],
    }
    for what, count in told.items():
        if count:
            warnings.warn(f"{what}: {count:,}.", SplitWarning, stacklevel=3)
