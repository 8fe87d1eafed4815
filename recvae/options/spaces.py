"""Search spaces: the values of each hyper-parameter that tuning chooses from."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from math import inf
from typing import Any, Self, TypeAlias


@dataclass(frozen=True)
class Categorical:
    """One of a few values, in no order."""

    among: tuple[Any, ...]

    @property
    def size(self) -> float:
        """The number of values."""
        return len(self.among)

    def including(self, value: Any) -> Self | None:
        """The space, widened if need be so that it has this value."""
        return self if value in self else replace(self, among=(*self.among, value))

    def __contains__(self, value: Any) -> bool:
        return value in self.among

    def __str__(self) -> str:
        return "one of " + ", ".join(map(str, self.among))


@dataclass(frozen=True)
class Float:
    """A number from `low` to `high`, both included; with `log`, its logarithm is drawn evenly."""

    low: float
    high: float
    log: bool = False

    @property
    def size(self) -> float:
        """The number of values: infinite."""
        return inf

    def including(self, value: Any) -> Self | None:
        """The space, widened if need be so that it has this value; None if it can't have it."""
        if value in self:
            return self
        if not self._is_kin(value) or (self.log and value <= 0):
            return None
        return replace(self, low=min(self.low, value), high=max(self.high, value))

    def __contains__(self, value: Any) -> bool:
        return self._is_kin(value) and self.low <= value <= self.high

    def __str__(self) -> str:
        return f"{self.low:g} to {self.high:g}" + ", log" * self.log

    def _is_kin(self, value: Any) -> bool:
        return isinstance(value, int | float)


@dataclass(frozen=True)
class Int(Float):
    """A whole number from `low` to `high`, both included."""

    low: int
    high: int

    @property
    def size(self) -> float:
        """The number of values."""
        return self.high - self.low + 1

    def _is_kin(self, value: Any) -> bool:
        return isinstance(value, int)


Space: TypeAlias = Mapping[str, Categorical | Float]
"""The values that tuning may choose for each option, by its name."""
