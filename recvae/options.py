"""Hyper-parameters: their ranges as types, and their validation in one place."""

from collections.abc import Mapping
from dataclasses import fields
from typing import Annotated, Any, TypeVar

from annotated_types import Ge, Gt, Le, Lt
from pydantic import TypeAdapter, ValidationError

from recvae.errors import OptionError, did_you_mean

PositiveInt = Annotated[int, Ge(1)]
NonNegativeInt = Annotated[int, Ge(0)]
PositiveFloat = Annotated[float, Gt(0)]
NonNegativeFloat = Annotated[float, Ge(0)]
Fraction = Annotated[float, Ge(0), Le(1)]
DropRate = Annotated[float, Ge(0), Lt(1)]

T = TypeVar("T")


def build(cls: type[T], options: Mapping[str, Any]) -> T:
    """Make a dataclass from options, which may be text: `{"latent": "200"}` gives `latent=200`.

    Raises:
        OptionError: an option that `cls` does not have, or a value out of its type or range.
    """
    known = [field.name for field in fields(cls)]  # type: ignore[arg-type]
    for name in options:
        if name not in known:
            raise OptionError(f"{cls.__name__} has no option {name!r}: {did_you_mean(name, known)}")
    try:
        return TypeAdapter(cls).validate_python(dict(options))
    except ValidationError as error:
        problems = "; ".join(
            f"{'.'.join(map(str, e['loc']))}={e['input']!r}: {e['msg']}" for e in error.errors()
        )
        raise OptionError(f"{cls.__name__} can't take {problems}") from None


def values(instance: Any) -> dict[str, Any]:
    """The options that an instance was made with."""
    return {field.name: getattr(instance, field.name) for field in fields(instance)}


def check(instance: Any) -> None:
    """Raise OptionError if an option of a dataclass instance is out of its type or range."""
    build(type(instance), values(instance))
