"""Tuning: chooses a model's options by the validation users alone."""

import logging
from collections.abc import Iterator
from math import inf
from os import PathLike
from time import perf_counter
from typing import TYPE_CHECKING, Any

from recvae import options
from recvae.data.interactions import Interactions
from recvae.data.splits import Holdout
from recvae.disk.paths import path_of
from recvae.display.progress import progress
from recvae.engine.trainer import OnEpoch
from recvae.errors import OptionError, TrainingError
from recvae.evaluation.evaluate import mean_of
from recvae.evaluation.metrics import require_higher
from recvae.experiments.trials import M, Tuned, fit_timed
from recvae.models.contract.recommender import Recommender
from recvae.options.spaces import Float, Space

if TYPE_CHECKING:
    from recvae.experiments.study import Objective, Study

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
        OptionError: neither trials nor minutes are given, or the metric is unknown, or better the
            lower it is.
        WriteError: the study can't be written.
        DataError: the study is of another model, other options, data, users or metric, or another
            process is at work on it.
        TrainingError: every trial failed.
    """
    from recvae.experiments.study import Study  # Optuna is slow to import
    from recvae.experiments.study_files import opened

    if trials is None and minutes is None:
        raise OptionError("give tuning a budget: trials=..., minutes=..., or both.")
    for name, given in {"trials": trials, "minutes": minutes}.items():
        if given is not None and not given > 0:
            raise OptionError(f"{name}={given} must be above 0.")
    require_higher(metric)
    own, space = options.values(model), _space(model)
    path = None if study is None else path_of(study)
    about = _about(model, space, train, validation, metric)
    first = {name: own[name] for name in space}

    def fitted(chosen: dict[str, Any], on_epoch: OnEpoch | None = None) -> tuple[M, float]:
        candidate = options.build(type(model), {**own, **chosen})
        return candidate, fit_timed(candidate, train, validation, on_epoch)

    def judged(chosen: dict[str, Any], on_epoch: OnEpoch) -> tuple[M, float, float]:
        candidate, seconds = fitted(chosen, on_epoch)
        return candidate, seconds, mean_of(metric, candidate, validation)

    with opened(path, about) as kept:
        tried = Study(space, first, seed, kept, path)
        winner, interrupted = _spend(tried, judged, trials, minutes)
        if tried.best is None:
            reason = tried.trials[-1].user_attrs["error"]
            raise TrainingError(f"all {len(tried.trials)} trials failed, the last: {reason}")
        if winner is None:
            logger.info("fitting the best of the study again: trial %d", tried.best.number)
            winner, _ = fitted(tried.options_of(tried.best))
        return Tuned(winner, metric, tried.table(metric), tried.best.number, interrupted)


def _spend(
    study: "Study", objective: "Objective[M]", trials: int | None, minutes: float | None
) -> tuple[M | None, bool]:
    """Make trials until the budget is spent, or Ctrl-C ends them once one is complete.

    Returns the best model of the study if it was fitted now, else None, and whether it was Ctrl-C.
    """
    winner, budget = None, _budget(study, trials, minutes)
    done = len(study.trials)
    try:
        with progress(budget, "tuning", total=trials, initial=done, unit="trial") as bar:
            for _ in bar:
                better = study.attempt(objective)
                winner = winner if better is None else better
                if best := study.best:
                    bar.set_postfix(best=f"{best.value:.4f}", refresh=False)
    except KeyboardInterrupt:
        if study.best is None:
            raise
        logger.warning("interrupted after trial %d: the best is kept.", len(study.trials))
        return winner, True
    return winner, False


def _budget(study: "Study", trials: int | None, minutes: float | None) -> Iterator[int]:
    """Count the trials, while budget and untried options remain."""
    deadline = perf_counter() + 60 * (minutes or inf)
    while (done := len(study.trials)) < (trials or inf) and not study.is_exhausted:
        if done and perf_counter() >= deadline:
            return
        yield done


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
