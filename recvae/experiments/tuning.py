"""Tuning: chooses a model's options by the validation users alone."""

import logging
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from math import inf
from os import PathLike
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any, Generic

from recvae import options
from recvae.data.interactions import Interactions
from recvae.data.splits import Holdout
from recvae.display.progress import progress
from recvae.engine.trainer import OnEpoch
from recvae.errors import OptionError, TrainingError
from recvae.evaluation.evaluate import mean_of
from recvae.evaluation.metrics import parse_metrics
from recvae.experiments.trials import M, Tuned, fit_timed
from recvae.models.contract.recommender import Recommender
from recvae.options.spaces import Float, Space

if TYPE_CHECKING:
    from recvae.experiments.study import Study

HALF_LIFE: Space = {"half_life": Float(1.0, 100.0, log=True)}
"""A half-life is searched for too, of any model that was given one."""

logger = logging.getLogger(__name__)


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
    """Fit a model with its own options, then with others of its `space`; keep the best model.

    The next options are chosen by the results of the trials before (tree-structured Parzen
    estimator, Bergstra et al., NeurIPS 2011). A training whose epochs fall behind those of earlier
    trials is pruned; a trial that fails counts as failed. Ctrl-C ends the tuning and keeps the best
    model so far.

    Args:
        model: its options are the first trial; it is not changed. An option with a value that its
            space can't hold, such as `beta="best"`, stays as it is.
        train: the users that each trial is fitted on.
        validation: the users that the trials are judged by.
        trials: how many trials there are, including the model's own options and those in the study;
            fewer if the space has fewer values.
        minutes: after this time no new trial begins. With both, the first limit reached ends it.
        metric: the metric by which trials are judged, higher is better.
        seed: decides, together with the results of earlier trials, which options are tried.
        study: a file (SQLite) that keeps the finished trials. If it exists, tuning goes on
            from them, and fits the best of them again if no new one is better.

    Raises:
        OptionError: neither trials nor minutes are given, or the metric's name is mistyped.
        WriteError: the study can't be written.
        DataError: the study is of another model, other options, data, users or metric, or another
            process is at work on it.
        TrainingError: every trial failed.
    """
    from recvae.experiments.study import Study  # Optuna is slow to import

    if trials is None and minutes is None:
        raise OptionError("give tuning a budget: trials=..., minutes=..., or both.")
    for name, given in {"trials": trials, "minutes": minutes}.items():
        if given is not None and not given > 0:
            raise OptionError(f"{name}={given} must be above 0.")
    parse_metrics([metric])
    own, space = options.values(model), _space(model)
    path = None if study is None else Path(study).expanduser()
    about = _about(model, space, train, validation, metric)
    first = {name: own[name] for name in space}
    with closing(Study(space, first, seed=seed, path=path, about=about)) as trials_so_far:
        run = TuningRun(model, train, validation, metric, trials_so_far)
        run.spend(trials, minutes)
        return run.result()


@dataclass(eq=False)
class TuningRun(Generic[M]):
    """A tuning in progress: a study of all trials, and the best model of those made here."""

    model: M
    train: Interactions
    validation: Holdout
    metric: str
    study: "Study"
    latest: M | None = None
    winner: M | None = None
    interrupted: bool = False

    def spend(self, trials: int | None, minutes: float | None) -> None:
        """Make trials until the budget is spent; Ctrl-C ends them if one is complete."""
        budget, done = self._budget(trials, minutes), len(self.study.trials)
        try:
            with progress(budget, "tuning", total=trials, initial=done, unit="trial") as bar:
                for _ in bar:
                    if self.study.attempt(self._measure):
                        self.winner = self.latest
                    if best := self.study.best:
                        bar.set_postfix(best=f"{best.value:.4f}", refresh=False)
        except KeyboardInterrupt:
            if self.study.best is None:
                raise
            logger.warning("interrupted after trial %d: the best is kept.", len(self.study.trials))
            self.interrupted = True

    def result(self) -> Tuned[M]:
        """The best model; it is fitted again if an earlier run found it."""
        best = self.study.best
        if best is None:
            reason = self.study.trials[-1].user_attrs["error"]
            raise TrainingError(f"all {len(self.study.trials)} trials failed, the last: {reason}")
        if self.winner is None:
            logger.info("fitting the best of the study again: trial %d", best.number)
            self.winner = self._with(self.study.options_of(best))
            fit_timed(self.winner, self.train, self.validation)
        trials = self.study.table(self.metric)
        return Tuned(self.winner, self.metric, trials, best.number, self.interrupted)

    def _budget(self, trials: int | None, minutes: float | None) -> Iterator[int]:
        """Count the trials, while budget and untried options remain."""
        deadline = perf_counter() + 60 * (minutes or inf)
        while (done := len(self.study.trials)) < (trials or inf) and not self.study.is_exhausted:
            if done and perf_counter() >= deadline:
                return
            yield done

    def _measure(self, chosen: dict[str, Any], on_epoch: OnEpoch) -> tuple[float, float]:
        self.latest = self._with(chosen)
        seconds = fit_timed(self.latest, self.train, self.validation, on_epoch)
        return mean_of(self.metric, self.latest, self.validation), seconds

    def _with(self, chosen: Mapping[str, Any]) -> M:
        return options.build(type(self.model), {**options.values(self.model), **chosen})


def _space(model: Recommender) -> Space:
    """The model's space, widened to hold its own options, without options that can't be in it."""
    own = options.values(model)
    space = {**HALF_LIFE, **model.space} if "half_life" in own else model.space
    wide = {name: kind.including(own[name]) for name, kind in space.items()}
    return {name: kind for name, kind in wide.items() if kind is not None}


def _about(
    model: Recommender, space: Space, train: Interactions, validation: Holdout, metric: str
) -> dict[str, str]:
    """The facts that must be equal for trials to be comparable."""
    history, target, *others = validation.fingerprints()
    return {
        "model": type(model).__name__,
        "metric": metric,
        "training data": train.fingerprint(),
        "validation history": history,
        "validation target": target,
        **({"validation lists": " ".join(others)} if others else {}),
        **{f"option {name}": str(value) for name, value in options.values(model).items()},
        **{f"space of {name}": str(kind) for name, kind in space.items()},
    }
