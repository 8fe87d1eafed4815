"""Output: results on stdout or in the folder of --out, notes and errors on stderr."""

import logging
import re
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer
from pydantic_core import to_json
from typer.core import TyperGroup

from recvae.disk import atomic
from recvae.disk.databases import without_password
from recvae.display.progress import is_rank_zero
from recvae.engine.interrupts import sigterm_as_ctrl_c
from recvae.errors import RecvaeError

if TYPE_CHECKING:
    from pandas import DataFrame

ARGUMENT = re.compile(
    r"(?<![-\w.'/])(?P<name>[a-z]\w*)(=(?P<value>\[[^]]*\]|'[^']*'|\.\.\.|[\w.+-]*\w))?"
)
"""A name of Python in a message, with the value that is given to it."""
INTERRUPTED = 130
"""The exit code of a command that Ctrl-C or SIGTERM ended."""


class Commands(TyperGroup):
    """Runs commands with notes on stderr, and errors in one line without a traceback."""

    def invoke(self, ctx: Any) -> Any:
        """Run what `ctx` names."""
        try:
            with _notes_on_stderr(self.with_options), sigterm_as_ctrl_c():
                return super().invoke(ctx)
        except BrokenPipeError:
            raise
        except (RecvaeError, OSError) as error:
            said = without_password(self.with_options(" ".join(str(error).split())))
            typer.echo(f"error: {said}", err=True)
            raise typer.Exit(1) from None
        except KeyboardInterrupt:
            note("interrupted")
            raise typer.Exit(INTERRUPTED) from None

    def with_options(self, text: str) -> str:
        """A message of the library with options for arguments: --min-weight for min_weight.

        An argument of one word is known by what follows it: `value=...` and `quotes=False`.
        """
        options = {
            option.removeprefix("--").replace("-", "_"): option
            for command in self.commands.values()
            for parameter in command.params
            for option in parameter.opts
        }

        def option(found: re.Match[str]) -> str:
            name, value = found["name"], found["value"] or ""
            if not re.fullmatch("'.* .*'", value):  # which a shell needs the quotes for
                value = re.sub(r"[][' ]", "", value)
            if value == "False":
                name = f"no_{name}"
            if name not in options or not ("_" in name or value):
                return found[0]
            return f"{options[name]} {value}".removesuffix(" ...").removesuffix(" False").strip()

        return ARGUMENT.sub(option, text)


def note(text: object) -> None:
    """Print a note to stderr, without breaking a progress bar."""
    from tqdm import tqdm

    if not is_rank_zero():
        return
    with tqdm.external_write_mode():
        typer.echo(without_password(str(text)), err=True)


def show(result: object, as_json: dict[str, Any] | list[Any], json: bool) -> None:
    """Print a result as text or as JSON, in which NaN becomes null."""
    if json:
        result = to_json(as_json, indent=2, inf_nan_mode="null").decode()
    typer.echo(result)


def records(table: "DataFrame") -> list[Any]:
    """The lines of a table for `show`, None where a value is missing."""
    values = table.astype(object)
    return values.where(values.notna(), None).to_dict(orient="records")


def make_folder(out: Path, data: str | None) -> None:
    """Make the folder for what a command gives, so that what can't be written fails now.

    Raises:
        WriteError: it can't be made.
        typer.BadParameter: it is in the folder of the data.
    """
    require_outside(out, data)
    atomic.make_folder(out)


def require_outside(out: str | Path, data: str | None) -> None:
    """Raise typer.BadParameter if `out` is the file or folder of the data, or in it."""
    if data is None or not Path(data).exists():
        return
    if Path(out).resolve().is_relative_to(Path(data).resolve()):
        raise typer.BadParameter(
            f"--out {out} would change the data that are read: choose another."
        )


@contextmanager
def _notes_on_stderr(with_options: Callable[[str], str]) -> Iterator[None]:
    logger, handler = logging.getLogger("recvae"), _NoteHandler(logging.INFO)
    level = logger.level
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    with warnings.catch_warnings():
        warnings.showwarning = lambda message, *_, **__: note(
            f"warning: {with_options(str(message))}"
        )
        try:
            yield
        finally:
            logger.removeHandler(handler)
            logger.setLevel(level)


class _NoteHandler(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        prefix = f"{record.levelname.lower()}: " if record.levelno >= logging.WARNING else ""
        note(f"{prefix}{record.getMessage()}")
