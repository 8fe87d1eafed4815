"""Tuning: choose a model's options by what they give on the validation users, and nothing else."""

import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import inf
from os import PathLike
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any, Generic, Protocol, Self, TypeVar

import pandas as pd

from recvae import options
from recvae.errors import OptionError, TrainingError
from recvae.evaluation.evaluate import Ranker, evaluate
from recvae.evaluation.metrics import parse_metrics
from recvae.interactions import Interactions
from recvae.progress import progress
from recvae.spaces import Space
from recvae.splits import Holdout
from recvae.trainer import OnEpoch

if TYPE_CHECKING:
    from recvae.evaluation.study import Study

logger = logging.getLogger(__name__)


class Model(Ranker, Protocol):
    """What tuning and comparing need of a model: a dataclass whose fields are its options."""

    @property
    def folds_in(self) -> bool:
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
        trials: a line per trial, in order: the options of the space, the metric on the validation
            users (NaN if the trial was not completed), the seconds that fitting took, and the
            state: complete, pruned or failed.
        best: the line of `trials` that the model is from.
        interrupted: whether Ctrl-C ended the tuning before its budget was spent.
    """

    model: M
    trials: pd.DataFrame
    best: int
    interrupted: bool = False

    @property
    def chosen(self) -> dict[str, Any]:
        """The options of the space, as the best model has them."""
        return {name: getattr(self.model, name) for name in self.model.space}


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
        OptionError: neither trials nor minutes are given, the metric's name is mistyped, or the
            study can't be written.
        DataError: the study is of another model, other options, data, users or metric.
        TrainingError: every trial failed.
    """
    if trials is None and minutes is None:
        raise OptionError("give tuning a budget: trials=..., minutes=..., or both.")
    for name, given in {"trials": trials, "minutes": minutes}.items():
        if given is not None and given <= 0:
            raise OptionError(f"{name}={given} must be above 0.")
    parse_metrics([metric])
    log = _study(model, train, validation, metric, seed, study)
    search = _Search(model, train, validation, metric, log)
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


@dataclass
class _Search(Generic[M]):
    """A tuning under way: the study knows all trials, this the best model of those made here."""

    model: M
    train: Interactions
    validation: Holdout
    metric: str
    study: "Study"
    latest: M | None = None
    winner: M | None = None
    interrupted: bool = False

    def run(self, trials: int | None, minutes: float | None) -> None:
        """Make trials until the budget is spent, or Ctrl-C ends them with something to keep."""
        budget, done = self._budget(trials, minutes), len(self.study.trials)
        try:
            with progress(budget, "tuning", total=trials, initial=done, unit="trial") as bar:
                for _ in bar:
                    if self.study.attempt(self._measure):
                        self.winner = self.latest
                    bar.set_postfix(self._shown(), refresh=False)
        except KeyboardInterrupt:
            if self.study.best is None:
                raise
            logger.warning("interrupted after trial %d: the best is kept.", len(self.study.trials))
            self.interrupted = True

    def result(self) -> Tuned[M]:
        """The best model; it is fitted again if it was found before this search began."""
        best = self.study.best
        if best is None:
            reason = self.study.trials[-1].user_attrs["error"]
            raise TrainingError(f"all {len(self.study.trials)} trials failed, the last: {reason}")
        if self.winner is None:
            logger.info("fitting the best of the study again: trial %d", best.number)
            self.winner = self._with(self.study.options_of(best))
            fit_timed(self.winner, self.train, self.validation)
        trials = self.study.table(self.metric)
        return Tuned(self.winner, trials, best.number, self.interrupted)

    def _budget(self, trials: int | None, minutes: float | None) -> Iterator[int]:
        """Count the trials while there is something left to try, and to try it with."""
        deadline = perf_counter() + 60 * (minutes or inf)
        while (done := len(self.study.trials)) < (trials or inf) and not self.study.is_exhausted:
            if done and perf_counter() >= deadline:
                return
            yield done

    def _measure(self, chosen: dict[str, Any], on_epoch: OnEpoch) -> tuple[float, float]:
        self.latest = self._with(chosen)
        seconds = fit_timed(self.latest, self.train, self.validation, on_epoch)
        report = evaluate(self.latest, self.validation, [self.metric])
        return float(report.mean[self.metric]), seconds

    def _with(self, chosen: Mapping[str, Any]) -> M:
        return options.build(type(self.model), {**options.values(self.model), **chosen})

    def _shown(self) -> dict[str, str]:
        best = self.study.best
        return {} if best is None else {"best": f"{best.value:.4f}"}


def _study(
    model: Model,
    train: Interactions,
    validation: Holdout,
    metric: str,
    seed: int,
    path: str | PathLike[str] | None,
) -> "Study":
    from recvae.evaluation.study import Study  # Optuna is slow to import

    own = options.values(model)
    space = _space(model)
    about = {
        "model": type(model).__name__,
        "metric": metric,
        "training data": train.fingerprint(),
        "validation histories": Interactions.of(validation.fold_in).fingerprint(),
        "validation items": Interactions.of(validation.held_out).fingerprint(),
        **{f"option {name}": str(value) for name, value in own.items()},
        **{f"space of {name}": str(kind) for name, kind in space.items()},
    }
    return Study(
        space,
        {name: own[name] for name in space},
        seed=seed,
        path=None if path is None else Path(path),
        about=about,
    )


def _space(model: Model) -> Space:
    """The model's space, with room for its own options, without those that can't have any."""
    own = options.values(model)
    wide = {name: kind.including(own[name]) for name, kind in model.space.items()}
    return {name: kind for name, kind in wide.items() if kind is not None}
