"""Studies: the trials so far, and the choice of the next one, by Optuna."""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from math import prod
from operator import attrgetter
from pathlib import Path
from time import perf_counter
from typing import Any, TypeAlias, TypeVar

import numpy as np
import optuna
import pandas as pd
from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)
from optuna.trial import FrozenTrial, Trial, TrialState

from recvae.experiments.study_files import as_data_error, new_study
from recvae.experiments.trials import STATES
from recvae.options.spaces import Categorical, Float, Int, Space

logger = logging.getLogger(__name__)

T = TypeVar("T")
Objective: TypeAlias = Callable[
    [dict[str, Any], Callable[[int, float], None]], tuple[T, float, float]
]
"""Options and a callback for each epoch -> what was trained, the seconds of it, and its value."""

FINISHED = dict(zip((TrialState.COMPLETE, TrialState.PRUNED, TrialState.FAIL), STATES, strict=True))
"""The states of a finished trial, and what the tables call them."""

PRUNER = optuna.pruners.PercentilePruner(67, n_startup_trials=4, n_warmup_steps=10)
"""Ends a training whose best epoch is worse than two thirds of the others were at that epoch."""


@dataclass(eq=False)
class Study:
    """The trials of a model's options on the same data.

    The next trial depends on the seed and on the finished trials alone, so that a study that was
    cut off goes on as if it had not been.

    Attributes:
        space: what to choose from; `own` is in it.
        own: what to try first.
        seed: decides what is tried.
        kept: the study that each trial is added to when it is finished. Its trials come first, and
            must be such as are made here, or it is a DataError.
        path: the file that `kept` is in; None if it is in memory.
    """

    space: Space
    own: Mapping[str, Any]
    seed: int
    kept: optuna.Study
    path: Path | None
    _live: optuna.Study = field(init=False)

    def __post_init__(self) -> None:
        self._live = new_study(pruner=PRUNER)
        with as_data_error(self.path):
            self._live.add_trials(self.kept.trials)
            for trial in self.trials:
                if trial.distributions != self._choices or trial.user_attrs["seconds"] < 0:
                    raise ValueError(f"trial {trial.number} is of another space")
                if trial.state is TrialState.FAIL:
                    str(trial.user_attrs["error"])
            self.table("value")

    @property
    def trials(self) -> list[FrozenTrial]:
        """The finished trials, in order."""
        return self._live.get_trials(deepcopy=False, states=tuple(FINISHED))

    @property
    def best(self) -> FrozenTrial | None:
        """The best trial; None if there is none that is complete."""
        complete = self._live.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))
        return max(complete, key=attrgetter("value"), default=None)

    @property
    def is_exhausted(self) -> bool:
        """Whether all values of the space have been tried."""
        tried = {tuple(trial.params.values()) for trial in self.trials}
        return len(tried) >= prod(kind.size for kind in self.space.values())

    def table(self, metric: str) -> pd.DataFrame:
        """A line per trial: options, the metric if it is complete, seconds and state."""
        lines = [
            {
                **self.options_of(trial),
                metric: trial.value if trial.state is TrialState.COMPLETE else np.nan,
                "seconds": trial.user_attrs["seconds"],
                "state": FINISHED[trial.state],
            }
            for trial in self.trials
        ]
        return pd.DataFrame(lines).rename_axis("trial")

    def options_of(self, trial: FrozenTrial | Trial) -> dict[str, Any]:
        """The options that a trial tries."""
        return {name: _option(self.space[name], value) for name, value in trial.params.items()}

    def attempt(self, objective: Objective[T]) -> T | None:
        """Make the next trial; return what was trained if it is the best so far, else None.

        If its loss becomes NaN or infinite, or memory runs out, the trial counts as failed.
        """
        trial, started, state = self._ask(), perf_counter(), TrialState.COMPLETE
        trained: T | None = None
        value: float | None = None

        def watch(epoch: int, value: float) -> None:
            trial.report(value, epoch)
            if trial.should_prune():
                raise optuna.TrialPruned

        try:
            trained, seconds, value = objective(self.options_of(trial), watch)
        except optuna.TrialPruned:
            state, seconds = TrialState.PRUNED, perf_counter() - started
        except (RuntimeError, MemoryError) as error:
            logger.warning("trial %d failed: %s", trial.number, error)
            trial.set_user_attr("error", str(error))
            state, seconds = TrialState.FAIL, perf_counter() - started
        trial.set_user_attr("seconds", seconds)
        finished = self._live.tell(trial, value, state)
        with as_data_error(self.path):
            self.kept.add_trial(finished)
        return trained if self.best and self.best.number == trial.number else None

    @property
    def _choices(self) -> dict[str, BaseDistribution]:
        return {name: _distribution(kind) for name, kind in self.space.items()}

    def _ask(self) -> Trial:
        number = len(self.trials)
        if number == 0:
            self._live.enqueue_trial(
                {
                    name: str(value) if isinstance(self.space[name], Categorical) else value
                    for name, value in self.own.items()
                }
            )
        seed = np.random.SeedSequence((self.seed, number)).generate_state(1)[0]
        self._live.sampler = optuna.samplers.TPESampler(seed=int(seed))
        return self._live.ask(self._choices)


def _distribution(kind: Categorical | Float) -> BaseDistribution:
    match kind:
        case Categorical(among):
            return CategoricalDistribution([str(value) for value in among])
        case Int(low, high, log):
            return IntDistribution(low, high, log=log)
        case Float(low, high, log):
            return FloatDistribution(low, high, log=log)


def _option(kind: Categorical | Float, label: Any) -> Any:
    """The value that Optuna stores as this: the text of a choice, or a number."""
    if isinstance(kind, Categorical):
        return next(value for value in kind.among if str(value) == label)
    return label
