"""Output: results on stdout, notes and errors on stderr."""

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import typer
from pydantic_core import to_json
from typer.core import TyperGroup

from recvae.display.progress import is_rank_zero
from recvae.engine.interrupts import sigterm_as_ctrl_c
from recvae.errors import RecvaeError

INTERRUPTED = 130
"""The exit code of a command that Ctrl-C or SIGTERM ended."""


class Commands(TyperGroup):
    """Runs commands with notes on stderr, and errors in one line without a traceback."""

    def invoke(self, ctx: Any) -> Any:
        """Run what `ctx` names."""
        try:
            with _notes_on_stderr(), sigterm_as_ctrl_c():
                return super().invoke(ctx)
        except BrokenPipeError:
            raise
        except (RecvaeError, OSError) as error:
            typer.echo(f"error: {' '.join(str(error).split())}", err=True)
            raise typer.Exit(1) from None
        except KeyboardInterrupt:
            note("interrupted")
            raise typer.Exit(INTERRUPTED) from None


def note(text: object) -> None:
    """Print a note to stderr, without breaking a progress bar."""
    from tqdm import tqdm

    if not is_rank_zero():
        return
    with tqdm.external_write_mode():
        typer.echo(text, err=True)


def show(result: object, as_json: dict[str, Any] | list[Any], json: bool) -> None:
    """Print a result as text or as JSON, in which NaN becomes null."""
    if json:
        result = to_json(as_json, indent=2, inf_nan_mode="null").decode()
    typer.echo(result)


@contextmanager
def _notes_on_stderr() -> Iterator[None]:
    logger, handler = logging.getLogger("recvae"), _NoteHandler(logging.INFO)
    level = logger.level
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    with warnings.catch_warnings():
        warnings.showwarning = lambda message, *_, **__: note(f"warning: {message}")
        try:
            yield
        finally:
            logger.removeHandler(handler)
            logger.setLevel(level)


class _NoteHandler(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        prefix = f"{record.levelname.lower()}: " if record.levelno >= logging.WARNING else ""
        note(f"{prefix}{record.getMessage()}")
