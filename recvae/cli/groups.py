"""Groups of options: a command takes a dataclass, and the command line has each of its fields."""

from collections.abc import Callable
from dataclasses import is_dataclass
from functools import wraps
from inspect import Parameter, Signature, signature
from pathlib import Path
from typing import Any


def spread(command: Callable[..., None]) -> Callable[..., None]:
    """Replace each parameter that is a dataclass by a parameter for each of its fields.

    Typer reads the signature, so that options shared by many commands are written once.
    """
    parameters = signature(command, eval_str=True).parameters.values()
    groups: dict[str, Any] = {
        p.name: p.annotation for p in parameters if is_dataclass(p.annotation)
    }

    @wraps(command)
    def spread_command(**given: Any) -> None:
        # Shells do not expand the ~ in `--out=~/runs`.
        options = {
            name: value.expanduser() if isinstance(value, Path) else value
            for name, value in given.items()
        }
        made = {
            name: group(**{field: options.pop(field) for field in signature(group).parameters})
            for name, group in groups.items()
        }
        command(**made, **options)

    spread_command.__signature__ = Signature(  # type: ignore[attr-defined]
        [
            parameter.replace(kind=Parameter.KEYWORD_ONLY)
            for p in parameters
            for parameter in (_of_fields(p.annotation) if p.name in groups else [p])
        ]
    )
    return spread_command


def _of_fields(group: type) -> list[Parameter]:
    """A parameter for each field, the required ones first."""
    fields = signature(group).parameters.values()
    return sorted(fields, key=lambda field: field.default is not Parameter.empty)
