"""Annealing: the weight of the KL term and the learning rate as functions of the training step."""

import math
from typing import Annotated, Literal, TypeAlias

from pydantic import BeforeValidator, StringConstraints

from recvae.options.ranges import Fraction, NonNegativeInt


def _as_fraction(given: object) -> object:
    """Turn text with a decimal point, such as "1.0", into a float: it is a fraction, not steps."""
    return float(given) if isinstance(given, str) and "." in given else given


Schedule: TypeAlias = Literal["linear", "constant", "cyclical"]
WarmUp: TypeAlias = Annotated[
    NonNegativeInt | Fraction | Annotated[str, StringConstraints(pattern=r"^\d+ epochs?$")],
    BeforeValidator(_as_fraction),
]
"""Length of the warm-up: 40000 is steps, 0.5 is half of the run, and "20 epochs" is epochs."""

CYCLES = 4

RateSchedule: TypeAlias = Literal["constant", "cosine"]
RATE_WARM_UP = 0.05
"""The fraction of the run in which the learning rate rises."""


def kl_weight(
    step: int, *, cap: float, warm_up: int, total: int, schedule: Schedule = "linear"
) -> float:
    """Give beta at a training step, counted from 0.

    - linear: from 0 up to `cap` in `warm_up` steps, then `cap` (Liang et al., 2018). The paper's
      `min(0.2, step / 200000)` is `cap=0.2, warm_up=40000`.
    - constant: `cap`.
    - cyclical: the run in four equal cycles; in each, beta rises linearly to `cap` in a quarter of
      `warm_up`, then stays there (Fu et al., 2019).

    >>> [kl_weight(step, cap=0.2, warm_up=10, total=40) for step in (0, 5, 10, 30)]
    [0.0, 0.1, 0.2, 0.2]
    >>> [kl_weight(s, cap=1.0, warm_up=20, total=40, schedule="cyclical") for s in (0, 4, 9, 10)]
    [0.0, 0.8, 1.0, 0.0]
    """
    if schedule == "constant":
        return cap
    if schedule == "cyclical":
        return cap * _ramp(step % (total / CYCLES), warm_up / CYCLES)
    return cap * _ramp(step, warm_up)


def warm_up_steps(warm_up: WarmUp, *, steps_per_epoch: int, epochs: int) -> int:
    """Count the steps of a warm-up given in steps, in epochs or as a fraction of the run.

    >>> [warm_up_steps(w, steps_per_epoch=10, epochs=50) for w in (7, 0.5, "20 epochs")]
    [7, 250, 200]
    """
    match warm_up:
        case str():
            return int(warm_up.split()[0]) * steps_per_epoch
        case float():
            return round(warm_up * steps_per_epoch * epochs)
    return warm_up


def lr_factor(step: int, *, total: int, schedule: RateSchedule) -> float:
    """Give the factor of the learning rate, from 0 to 1, at a training step, counted from 0.

    - constant: 1.
    - cosine: a half wave from 1 down to 0 (Loshchilov & Hutter, "SGDR: Stochastic Gradient Descent
      with Warm Restarts", ICLR 2017, eq. 5), with a linear warm-up over a twentieth of the run.

    >>> [round(lr_factor(s, total=100, schedule="cosine"), 2) for s in (0, 4, 50, 75, 99)]
    [0.2, 1.0, 0.5, 0.15, 0.0]
    """
    if schedule == "constant":
        return 1.0
    return _ramp(step + 1, RATE_WARM_UP * total) * (1 + math.cos(math.pi * step / total)) / 2


def _ramp(step: float, length: float) -> float:
    return 1.0 if step >= length else step / length
