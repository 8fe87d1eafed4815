"""Tuning: chooses a model's options by the validation users alone."""

from contextlib import closing
from os import PathLike

from recvae.data.interactions import Interactions
from recvae.data.splits import Holdout
from recvae.errors import OptionError
from recvae.evaluation.metrics import parse_metrics
from recvae.experiments.trials import M, Tuned


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
    from recvae.experiments.search import TuningRun  # Optuna is slow to import

    if trials is None and minutes is None:
        raise OptionError("give tuning a budget: trials=..., minutes=..., or both.")
    for name, given in {"trials": trials, "minutes": minutes}.items():
        if given is not None and not given > 0:
            raise OptionError(f"{name}={given} must be above 0.")
    parse_metrics([metric])
    search = TuningRun(model, train, validation, metric, seed=seed, path=study)
    with closing(search.study):
        search.run(trials, minutes)
        return search.result()
