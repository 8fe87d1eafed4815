"""Ranges: the types of hyper-parameters with their ranges, and the checks of all of them."""

from collections.abc import Mapping
from dataclasses import fields
from typing import Annotated, Any, TypeVar

import numpy as np
from annotated_types import Ge, Gt, Le, Lt, MaxLen
from pydantic import AllowInfNan, BeforeValidator, TypeAdapter, ValidationError

from recvae.errors import OptionError, require_known


def _listed(given: Any) -> Any:
    return str(given).split(",") if isinstance(given, str | int) else given


PositiveInt = Annotated[int, Ge(1)]
NonNegativeInt = Annotated[int, Ge(0)]
PositiveFloat = Annotated[float, Gt(0), AllowInfNan(False)]
NonNegativeFloat = Annotated[float, Ge(0), AllowInfNan(False)]
Fraction = Annotated[float, Ge(0), Le(1)]
DropRate = Annotated[float, Ge(0), Lt(1)]
Threads = Annotated[int, Ge(0), Le(1024)]
"""How many threads to use; 0 means all. OpenMP ends the process that asks for too many."""
Widths = Annotated[tuple[PositiveInt, ...], BeforeValidator(_listed), MaxLen(100)]
"""Widths of layers; `600` and `"600,200"` are read as `(600,)` and `(600, 200)`."""

T = TypeVar("T")


def build(cls: type[T], options: Mapping[str, Any]) -> T:
    """Make a dataclass from options, which may be text: `{"latent": "200"}` gives `latent=200`.

    Raises:
        OptionError: `cls` has no such option, or a value is not of its type or out of its range.
    """
    known = [field.name for field in fields(cls)]  # type: ignore[arg-type]
    for name in options:
        require_known(name, known, f"{cls.__name__} has no option")
    try:
        return TypeAdapter(cls).validate_python(dict(options))
    except ValidationError as error:
        raise OptionError(f"{cls.__name__} can't take {_problems(error)}") from None


def _problems(error: ValidationError) -> str:
    """A message that names each wrong option: `beta=-1: Input should be ..., or ...; ...`."""
    messages: dict[str, list[str]] = {}
    for problem in error.errors():
        option, *path = problem["loc"]
        place = ".".join(map(str, [option, *(part for part in path if isinstance(part, int))]))
        messages.setdefault(f"{place}={problem['input']!r}", []).append(problem["msg"])
    return "; ".join(f"{given}: {', or '.join(reasons)}" for given, reasons in messages.items())


def values(instance: Any) -> dict[str, Any]:
    """The options of an instance, by name; NumPy's numbers become Python's."""
    given = {field.name: getattr(instance, field.name) for field in fields(instance)}
    return {name: _plain(value) for name, value in given.items()}


def _plain(value: Any) -> Any:
    if isinstance(value, list | tuple):
        return type(value)(map(_plain, value))
    if isinstance(value, Mapping):
        return {name: _plain(part) for name, part in value.items()}
    if hasattr(value, "as_option"):  # it has options of its own, such as a member of an ensemble
        return value.as_option()
    return value.item() if isinstance(value, np.generic) else value


def check(instance: Any) -> None:
    """Raise OptionError if an option of a dataclass instance is of a wrong type or out of range.

    Unlike `build` it refuses text for a number, since the value will be used as it is.
    """
    given = values(instance)
    taken = values(build(type(instance), given))
    for name, value in given.items():
        if not _fits(value, taken[name]):
            raise OptionError(
                f"{type(instance).__name__} can't take {name}={value!r}: give {taken[name]!r}."
            )


def _fits(given: Any, taken: Any) -> bool:
    """Whether a given value can be used as it is in place of the value that validation made."""
    return (
        isinstance(given, type(taken))
        or (isinstance(given, int) and isinstance(taken, float))
        or (isinstance(given, list) and isinstance(taken, tuple))
        or isinstance(taken, dict)
    )
