"""Trials: the result of a tuning, and the fit of one trial."""

from dataclasses import dataclass
from time import perf_counter
from typing import Any, Generic, TypeVar

import pandas as pd

from recvae.data.interactions import Interactions
from recvae.data.splits import Holdout
from recvae.engine.trainer import OnEpoch
from recvae.models.contract.recommender import Recommender

STATES = ("complete", "pruned", "failed")

N_SHOWN = 10
"""How many of the best trials are shown."""

M = TypeVar("M", bound=Recommender)


@dataclass(frozen=True, eq=False)
class Tuned(Generic[M]):
    """The result of a tuning.

    Attributes:
        model: the best model, fitted.
        metric: the metric by which trials were judged.
        trials: a line per trial, in order: the options of the space, the metric on the validation
            users (NaN if the trial was not completed), the seconds that fitting took, and the
            state: complete, pruned or failed.
        best: the line of the best trial in `trials`.
        interrupted: whether Ctrl-C ended the tuning before its budget was spent.
    """

    model: M
    metric: str
    trials: pd.DataFrame
    best: int
    interrupted: bool = False

    @property
    def chosen(self) -> dict[str, Any]:
        """The values that the best model has for the options of its space, and for all tried."""
        tried = self.trials.columns.drop([self.metric, "seconds", "state"])
        return {name: getattr(self.model, name) for name in (*self.model.space, *tried)}

    @property
    def states(self) -> dict[str, int]:
        """How many trials are complete, pruned and failed."""
        return {state: int((self.trials["state"] == state).sum()) for state in STATES}

    def to_dict(self) -> dict[str, Any]:
        """Everything except the model, in types that JSON has; NaN becomes None."""
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


def fit_timed(
    model: Recommender,
    train: Interactions,
    validation: Holdout | None,
    on_epoch: OnEpoch | None = None,
) -> float:
    """Fit a model; return the seconds that it took.

    After Ctrl-C it raises KeyboardInterrupt, even if the model ended its training in good order:
    this was cut short, so that the model must not be compared.
    """
    start = perf_counter()
    model.fit(train, validation=validation, on_epoch=on_epoch)
    if model.interrupted_:
        raise KeyboardInterrupt
    return perf_counter() - start
