"""Search: makes trials until the budget is spent, and keeps the best model."""

import logging
from collections.abc import Iterator, Mapping
from math import inf
from os import PathLike
from pathlib import Path
from time import perf_counter
from typing import Any, Generic

from recvae import options
from recvae.data.interactions import Interactions
from recvae.data.splits import Holdout
from recvae.display.progress import progress
from recvae.engine.trainer import OnEpoch
from recvae.errors import TrainingError
from recvae.evaluation.evaluate import evaluate
from recvae.experiments.study import Study
from recvae.experiments.trials import M, Tuned, fit_timed
from recvae.models.contract.recommender import Recommender
from recvae.options.spaces import Space

logger = logging.getLogger(__name__)


class TuningRun(Generic[M]):
    """A tuning in progress: a study of all trials, and the best model of those made here."""

    def __init__(
        self,
        model: M,
        train: Interactions,
        validation: Holdout,
        metric: str,
        *,
        seed: int,
        path: str | PathLike[str] | None,
    ) -> None:
        """See `recvae.tune`; `path` is its `study`."""
        self.model, self.train, self.validation, self.metric = model, train, validation, metric
        self.latest: M | None = None
        self.winner: M | None = None
        self.interrupted = False
        own, space = options.values(model), _space(model)
        self.study = Study(
            space,
            {name: own[name] for name in space},
            seed=seed,
            path=None if path is None else Path(path).expanduser(),
            about=self._about(own, space),
        )

    def run(self, trials: int | None, minutes: float | None) -> None:
        """Make trials until the budget is spent; Ctrl-C ends them if one is complete."""
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
        report = evaluate(self.latest, self.validation, [self.metric])
        return float(report.mean[self.metric]), seconds

    def _with(self, chosen: Mapping[str, Any]) -> M:
        return options.build(type(self.model), {**options.values(self.model), **chosen})

    def _shown(self) -> dict[str, str]:
        best = self.study.best
        return {} if best is None else {"best": f"{best.value:.4f}"}

    def _about(self, own: Mapping[str, Any], space: Space) -> dict[str, str]:
        """The facts that must be equal for trials to be comparable."""
        held_out = self.validation
        return {
            "model": type(self.model).__name__,
            "metric": self.metric,
            "training data": self.train.fingerprint(),
            "validation history": Interactions.from_matrix(held_out.fold_in).fingerprint(),
            "validation target": Interactions.from_matrix(held_out.held_out).fingerprint(),
            **{f"option {name}": str(value) for name, value in own.items()},
            **{f"space of {name}": str(kind) for name, kind in space.items()},
        }


def _space(model: Recommender) -> Space:
    """The model's space, widened to hold its own options, without options that can't be in it."""
    own = options.values(model)
    wide = {name: kind.including(own[name]) for name, kind in model.space.items()}
    return {name: kind for name, kind in wide.items() if kind is not None}
