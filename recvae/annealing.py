"""Annealing: the weight beta of the KL term, as a pure function of the training step."""

from typing import Annotated, Literal, TypeAlias

from pydantic import StringConstraints

from recvae.options import Fraction, NonNegativeInt

Schedule: TypeAlias = Literal["linear", "constant", "cyclical"]
WarmUp: TypeAlias = (
    NonNegativeInt | Fraction | Annotated[str, StringConstraints(pattern=r"^\d+ epochs?$")]
)
"""Length of the warm-up: 40000 (steps), 0.5 (of the run) or "20 epochs"."""

CYCLES = 4


def kl_weight(
    step: int, *, cap: float, warm_up: int, total: int, schedule: Schedule = "linear"
) -> float:
    """Give beta at a training step, counted from 0.

    - linear: from 0 up to `cap` in `warm_up` steps, then `cap` (Liang et al., 2018). The paper's
      `min(0.2, step / 200000)` is `cap=0.2, warm_up=40000`.
    - constant: `cap`.
    - cyclical: the run in four equal cycles; in each, beta rises linearly to `cap` within the
      cycle's share of the warm-up, then stays there (Fu et al., 2019).

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


def _ramp(step: float, length: float) -> float:
    return 1.0 if step >= length else step / length
