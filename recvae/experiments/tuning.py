"""Tuning: choose a model's options by what they give on the validation users, and nothing else."""

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
