"""All errors of the package. Each message names the cause and the cure."""

from collections.abc import Collection, Iterable, Mapping
from difflib import get_close_matches
from typing import Any


class RecvaeError(Exception):
    """The base of all errors of recvae; catch this to catch them all."""


class DataError(RecvaeError, ValueError):
    """The given data can't be used as they are."""


class OptionError(RecvaeError, ValueError):
    """An argument, a hyper-parameter or a name is out of its range or unknown."""


class MissingFileError(RecvaeError, FileNotFoundError):
    """A file or a data set is not where it was looked for."""


class WriteError(RecvaeError, OSError):
    """A file can't be written where it was asked for."""


class DownloadError(RecvaeError, OSError):
    """A data set could not be fetched, verified or unpacked."""


class NotFittedError(RecvaeError, RuntimeError):
    """The model has to be fitted, or loaded, before it can do this."""


class FoldInError(RecvaeError, ValueError):
    """The model knows only the users that it was trained on."""


class ModelFileError(RecvaeError, ValueError):
    """A saved model is damaged, incomplete or of an unknown version."""


class CheckpointError(RecvaeError, ValueError):
    """Checkpoints are damaged, in use, of another training, or can't be written."""


class TrainingError(RecvaeError, RuntimeError):
    """Training can't go on: memory ran out, or the loss became NaN or infinite."""


class MissingPackageError(RecvaeError, ImportError):
    """An optional package is not installed."""


def require_known(word: object, known: Collection[object], what: str) -> None:
    """Raise OptionError unless a word is known; `what` begins it, such as "there is no model"."""
    if word not in known:
        raise OptionError(f"{what} {word!r}: {did_you_mean(word, known)}")


def did_you_mean(word: object, known: Iterable[object]) -> str:
    """The end of an error message: the most similar known word, or else all known words."""
    words = {str(one): one for one in sorted(known, key=str)}
    if close := get_close_matches(str(word).lower(), words, n=1):
        return f"did you mean {words[close[0]]!r}?"
    return f"known: {', '.join(map(quoted_if_padded, words))}."


def quoted_if_padded(word: str) -> str:
    """Give back a word, in quotes if it has spaces around it, which nobody would see."""
    return word if word == word.strip() else repr(word)


def difference(before: Mapping[str, Any], now: Mapping[str, Any]) -> str | None:
    """Describe the first fact that has changed, by its name; None if all are the same."""
    for name in {**now, **before}:
        if before.get(name) != now.get(name):
            return f"another {name} ({before.get(name)}, and not {now.get(name)})"
    return None
