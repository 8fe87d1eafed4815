"""Groups of options: a command takes a dataclass, and the command line has each of its fields.

What an option is for is said in the docstring of its command or group, in a section `Options:`, or
`Data options:` for a panel of the help.
"""

import re
from collections.abc import Callable
from copy import copy
from dataclasses import is_dataclass
from functools import wraps
from inspect import Parameter, Signature, cleandoc, signature
from pathlib import Path
from typing import Annotated, Any, TypeAlias, get_args, get_origin

import typer

from recvae.disk.paths import path_of

Helps: TypeAlias = dict[str, tuple[str, str | None]]
"""For the name of each option, what it is for, and the panel that it is in."""

SECTION = re.compile(r"^(?:(\w+) o|O)ptions:$", re.MULTILINE)
OPTION = re.compile(r"^    (\w+): (.*(?:\n {8}.*)*)", re.MULTILINE)


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
            name: path_of(value) if isinstance(value, Path) else value
            for name, value in given.items()
        }
        made = {
            name: group(**{field: options.pop(field) for field in signature(group).parameters})
            for name, group in groups.items()
        }
        command(**made, **options)

    spread_command.__doc__, helps = _parts(command)
    spread_command.__signature__ = Signature(  # type: ignore[attr-defined]
        [
            option
            for p in parameters
            for option in (_of_fields(p.annotation) if p.name in groups else [_option(p, helps)])
        ]
    )
    return spread_command


def _of_fields(group: type) -> list[Parameter]:
    """An option for each field, the required ones first."""
    parts = (_parts(part)[1] for part in reversed(group.__mro__))
    helps = {name: told for part in parts for name, told in part.items()}
    options = [_option(field, helps) for field in signature(group).parameters.values()]
    return sorted(options, key=lambda option: option.default is not Parameter.empty)


def _option(parameter: Parameter, helps: Helps) -> Parameter:
    """A parameter as Typer reads it; what is not told of it in `helps` stays as it is annotated."""
    kind, option = parameter.annotation, typer.Option()
    if get_origin(kind) is Annotated:
        kind, option = get_args(kind)
    option = copy(option)
    if parameter.name in helps:
        option.help, option.rich_help_panel = helps[parameter.name]
    if kind is bool:  # or there would be a --no-resume too
        option.param_decls = (f"--{parameter.name.replace('_', '-')}",)
    return parameter.replace(annotation=Annotated[kind, option], kind=Parameter.KEYWORD_ONLY)


def _parts(told: object) -> tuple[str, Helps]:
    """The docstring of a command or a group, and what it says of options."""
    text, *sections = SECTION.split(cleandoc(told.__doc__ or ""))
    return text.rstrip(), {
        name: (f"{words[0].upper()}{' '.join(words.split())[1:]}", panel)
        for panel, body in zip(sections[::2], sections[1::2], strict=True)
        for name, words in OPTION.findall(body)
    }
