"""Tuning: choose a model's options by what they give on the validation users, and nothing else."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from time import perf_counter
from typing import Any, Generic, Protocol, Self, TypeVar

import numpy as np
import pandas as pd

from recvae import options
from recvae.errors import OptionError
from recvae.evaluation.evaluate import Ranker, evaluate
from recvae.evaluation.metrics import parse_metrics
from recvae.interactions import Interactions
from recvae.progress import progress
from recvae.splits import Holdout


class Model(Ranker, Protocol):
    """What tuning and comparing need of a model: a dataclass whose fields are its options."""

    @property
    def folds_in(self) -> bool:
        """Whether it can rank for users that it was not trained on."""

    @property
    def grid(self) -> Mapping[str, Sequence[Any]]:
        """The values of each option that tuning chooses from."""

    @property
    def n_parameters(self) -> int:
        """How many numbers were learnt."""

    @property
    def n_bytes(self) -> int:
        """How large they are."""

    def fit(self, interactions: Interactions, validation: Holdout | None = ...) -> Self:
        """Learn from users x items."""


M = TypeVar("M", bound=Model)


@dataclass(frozen=True, eq=False)
class Tuned(Generic[M]):
    """What tuning found.

    Attributes:
        model: the best model, fitted.
        trials: a line per trial, in order: the options of the grid, the metric on the validation
            users, and the seconds that fitting took.
        best: the line of `trials` that the model is from.
    """

    model: M
    trials: pd.DataFrame
    best: int

    @property
    def chosen(self) -> dict[str, Any]:
        """The options of the grid, as the best model has them."""
        return _of_grid(self.model)


def tune(
    model: M,
    train: Interactions,
    validation: Holdout,
    *,
    trials: int,
    metric: str = "ndcg@100",
    seed: int = 0,
) -> Tuned[M]:
    """Fit a model's own options, then others of its `grid`; keep what validates best.

    Args:
        model: where to start; it is not changed.
        train: what each trial is fitted on.
        validation: the users that the trials are judged by.
        trials: how many to fit, the model's own options included; fewer if the grid has fewer.
        metric: what to judge by, higher is better.
        seed: decides which combinations of the grid are drawn (each at most once).

    Raises:
        OptionError: no trial is asked for, or the metric's name is mistyped.
    """
    if trials < 1:
        raise OptionError(f"trials={trials} must be at least 1.")
    parse_metrics([metric])
    lines: list[dict[str, Any]] = []
    best = 0
    for chosen in progress(list(_candidates(model, trials, seed)), "tuning", unit="trial"):
        candidate = options.build(type(model), {**options.values(model), **chosen})
        seconds = fit_timed(candidate, train, validation)
        value = evaluate(candidate, validation, [metric]).mean[metric]
        lines.append({**chosen, metric: value, "seconds": seconds})
        if len(lines) == 1 or value > lines[best][metric]:
            best, winner = len(lines) - 1, candidate
    return Tuned(winner, pd.DataFrame(lines).rename_axis("trial"), best)


def fit_timed(model: Model, train: Interactions, validation: Holdout) -> float:
    """Fit a model; return the seconds that it took.

    Raises:
        KeyboardInterrupt: by Ctrl-C, also if the model ended its training well: what comes after
            would compare a model that was not fully trained.
    """
    start = perf_counter()
    model.fit(train, validation=validation)
    if getattr(model, "interrupted_", False):
        raise KeyboardInterrupt
    return perf_counter() - start


def _candidates(model: Model, trials: int, seed: int) -> Iterator[dict[str, Any]]:
    own = _of_grid(model)
    yield own
    others = [dict(zip(own, values, strict=True)) for values in product(*model.grid.values())]
    others = [other for other in others if other != own]
    drawn = np.random.default_rng(seed).permutation(len(others))
    yield from (others[number] for number in drawn[: trials - 1])


def _of_grid(model: Model) -> dict[str, Any]:
    return {name: getattr(model, name) for name in model.grid}
