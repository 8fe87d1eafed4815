"""Tuning: choose a model's options by what they give on the validation users, and nothing else."""

from dataclasses import dataclass
from os import PathLike
from time import perf_counter
from typing import Any, Generic, Protocol, Self, TypeVar

import pandas as pd

from recvae.data.interactions import Interactions
from recvae.data.splits import Holdout
from recvae.engine.trainer import OnEpoch
from recvae.errors import OptionError
from recvae.evaluation.evaluate import Ranker
from recvae.evaluation.metrics import parse_metrics
from recvae.options.spaces import Space

STATES = ("complete", "pruned", "failed")

N_SHOWN = 10
"""The best trials, so many of which are shown."""


class Model(Ranker, Protocol):
    """What tuning and comparing need of a model: a dataclass whose fields are its options."""

    @property
    def supports_new_users(self) -> bool:
        """Whether it can rank for users that it was not trained on."""

    @property
    def space(self) -> Space:
        """The values of each option that tuning chooses from."""

    @property
    def n_parameters(self) -> int:
        """How many numbers were learnt."""

    @property
    def n_bytes(self) -> int:
        """How large they are."""

    def fit(
        self,
        interactions: Interactions,
        validation: Holdout | None = ...,
        on_epoch: OnEpoch | None = ...,
    ) -> Self:
        """Learn from users x items."""


M = TypeVar("M", bound=Model)


@dataclass(frozen=True, eq=False)
class Tuned(Generic[M]):
    """What tuning found.

    Attributes:
        model: the best model, fitted.
        metric: what the trials were judged by.
        trials: a line per trial, in order: the options of the space, the metric on the validation
            users (NaN if the trial was not completed), the seconds that fitting took, and the
            state: complete, pruned or failed.
        best: the line of `trials` that the model is from.
        interrupted: whether Ctrl-C ended the tuning before its budget was spent.
    """

    model: M
    metric: str
    trials: pd.DataFrame
    best: int
    interrupted: bool = False

    @property
    def chosen(self) -> dict[str, Any]:
        """The options of the space, as the best model has them."""
        return {name: getattr(self.model, name) for name in self.model.space}

    @property
    def states(self) -> dict[str, int]:
        """How many trials are complete, pruned and failed."""
        return {state: int((self.trials["state"] == state).sum()) for state in STATES}

    def to_dict(self) -> dict[str, Any]:
        """All of it but the model, as what JSON can say; None for NaN."""
        trials = self.trials.reset_index().astype(object)
        return {
            "metric": self.metric,
            "best": self.best,
            "value": float(self.trials[self.metric][self.best]),
            "chosen": self.chosen,
            "trials": trials.where(trials.notna(), None).to_dict(orient="records"),
            "states": self.states,
            "interrupted": self.interrupted,
        }

    def __str__(self) -> str:
        complete = self.trials[self.trials["state"] == "complete"].drop(columns="state")
        best = complete.nlargest(N_SHOWN, self.metric)
        counts = ", ".join(f"{count} {state}" for state, count in self.states.items())
        return f"{best.to_string(float_format='{:.4g}'.format)}\ntrials: {counts}"

    __repr__ = __str__


def tune(
    model: M,
    train: Interactions,
    validation: Holdout,
    *,
    trials: int | None = None,
    minutes: float | None = None,
    metric: str = "ndcg@100",
    seed: int = 0,
    study: str | PathLike[str] | None = None,
) -> Tuned[M]:
    """Fit a model's own options, then others of its `space`; keep what validates best.

    What to try next is chosen by what the trials before gave (tree-structured Parzen estimator,
    Bergstra et al., NeurIPS 2011). A training whose epochs fall behind those of earlier trials is
    pruned; one that fails is noted and left. Ctrl-C ends the tuning and keeps the best so far.

    Args:
        model: where to start; it is not changed. An option with a value that its space can't
            hold, such as `beta="best"`, is left as it is.
        train: what each trial is fitted on.
        validation: the users that the trials are judged by.
        trials: how many there are, the model's own options and those in the study included; fewer
            if the space has fewer.
        minutes: after so many no trial is begun. With both, what comes first ends it.
        metric: what to judge by, higher is better.
        seed: decides, with what the trials before gave, what is tried.
        study: a file (SQLite) that keeps the finished trials. If it is there, tuning goes on
            from them, and fits the best of them again if no new one is better.

    Raises:
        OptionError: neither trials nor minutes are given, or the metric's name is mistyped.
        WriteError: the study can't be written.
        DataError: the study is of another model, other options, data, users or metric.
        TrainingError: every trial failed.
    """
    from recvae.experiments.search import TuningRun  # Optuna is slow to import

    if trials is None and minutes is None:
        raise OptionError("give tuning a budget: trials=..., minutes=..., or both.")
    for name, given in {"trials": trials, "minutes": minutes}.items():
        if given is not None and not given > 0:
            raise OptionError(f"{name}={given} must be above 0.")
    parse_metrics([metric])
    search = TuningRun(model, train, validation, metric, seed=seed, path=study)
    search.run(trials, minutes)
    return search.result()


def fit_timed(
    model: Model, train: Interactions, validation: Holdout, on_epoch: OnEpoch | None = None
) -> float:
    """Fit a model; return the seconds that it took.

    Raises:
        KeyboardInterrupt: by Ctrl-C, also if the model ended its training well: what comes after
            would compare a model that was not fully trained.
    """
    start = perf_counter()
    model.fit(train, validation=validation, on_epoch=on_epoch)
    if getattr(model, "interrupted_", False):
        raise KeyboardInterrupt
    return perf_counter() - start
