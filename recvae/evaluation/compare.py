"""Comparing: every model fitted on the same users and judged by the same others."""

import os
import platform
from collections.abc import Iterable, Mapping
from importlib.metadata import version
from typing import Any

import numpy as np

from recvae.errors import FoldInError, OptionError, RecvaeError
from recvae.evaluation.comparison import Comparison, Run
from recvae.evaluation.evaluate import METRICS, evaluate
from recvae.evaluation.metrics import parse_metrics
from recvae.evaluation.significance import differences_to_best
from recvae.evaluation.tuning import Model, fit_timed, tune
from recvae.progress import progress
from recvae.splits import Holdout, Split

LENGTHS = (1, 2, 3, 5, 7, 10, 15, 20, 30, 50, 70, 100)
"""The lengths of the list at which the report draws NDCG and recall."""

CURVES = tuple(f"{kind}@{k}" for kind in ("ndcg", "recall") for k in LENGTHS)

PACKAGES = ("recvae", "torch", "implicit", "numpy", "scipy")

NO_FOLD_IN = "it knows only the users it was trained on, and the test users are new"


def compare(
    models: Mapping[str, Model],
    split: Split,
    *,
    metrics: Iterable[str] = METRICS,
    tune_trials: int = 0,
    seed: int = 0,
    data: str = "",
) -> Comparison:
    """Fit every model on `split.train` and judge it, once, by `split.test`.

    Args:
        models: what to compare, by the name to show.
        split: the users to learn from, to choose by and to judge by. Models that can't fold in
            unseen users are left out where the test users are such, and so are models that
            can't be fitted; the result says why.
        metrics: what to measure. Models are tuned and sorted by the last one, which must be one
            of accuracy: recall, ndcg, precision, map, mrr or hit.
        tune_trials: combinations of options to try for each model on the validation users, its
            own options first (see `recvae.tune`); 0 fits the models as they are, in place.
        seed: decides which combinations are tried, and the bootstrap's draws.
        data: what to call the data and the split in the report.

    Raises:
        OptionError: a metric's name is mistyped, the last one is not one of accuracy, or no model
            is left to compare.
        DataError: nothing is held out of any test user.
    """
    names = _checked(metrics)
    runs: dict[str, Run] = {}
    skipped: dict[str, str] = {}
    for name in progress(list(models), "comparing", unit="model"):
        try:
            runs[name] = _run(models[name], split, names, tune_trials, seed)
        except RecvaeError as error:
            skipped[name] = str(error)
    if not runs:
        reasons = "; ".join(f"{name}: {reason}" for name, reason in skipped.items())
        raise OptionError(f"there is no model to compare ({reasons or 'none was given'}).")
    best_first = sorted(runs, key=lambda name: -runs[name].report.mean[names[-1]])
    tested = [str(metric) for metric in parse_metrics(names) if metric.is_accuracy]
    return Comparison(
        runs={name: runs[name] for name in best_first},
        differences=differences_to_best(
            {name: runs[name].report.per_user[tested] for name in best_first},
            np.random.default_rng(seed),
        ),
        history_lengths=_history_lengths(split.test),
        skipped=skipped,
        setting=_setting(data, split, seed, tune_trials),
    )


def _checked(metrics: Iterable[str]) -> list[str]:
    parsed = parse_metrics(metrics)
    if not parsed[-1].is_accuracy:
        raise OptionError(
            f"models can't be sorted by {parsed[-1]}: put a metric of accuracy last, "
            "such as 'ndcg@100'."
        )
    return [str(metric) for metric in parsed]


def _run(model: Model, split: Split, metrics: list[str], trials: int, seed: int) -> Run:
    """Fit or tune a model, then judge it by the test users."""
    if not model.folds_in and split.test.rows is None:
        raise FoldInError(NO_FOLD_IN)
    if trials:
        tuned = tune(
            model, split.train, split.validation, trials=trials, metric=metrics[-1], seed=seed
        )
        model, seconds = tuned.model, float(tuned.trials["seconds"][tuned.best])
    else:
        tuned, seconds = None, fit_timed(model, split.train, split.validation)
    report = evaluate(model, split.test, [*metrics, *CURVES])
    return Run(model, report.select(metrics), report.mean[list(CURVES)], seconds, tuned)


def _history_lengths(holdout: Holdout) -> np.ndarray:
    """int [users]: how long the history is of each user with something held out."""
    return np.diff(holdout.fold_in.indptr)[np.diff(holdout.held_out.indptr) > 0]


def _setting(data: str, split: Split, seed: int, tune_trials: int) -> dict[str, Any]:
    """How it was measured, as what JSON can say."""
    n_users, n_items = split.train.shape
    new = split.test.rows is None
    return {
        "data": data or "not named",
        "training users": n_users,
        "items": n_items,
        "training interactions": split.train.matrix.nnz,
        "data fingerprint": split.train.fingerprint(),
        "validation users": split.validation.fold_in.shape[0],
        "test users": split.test.fold_in.shape[0],
        "test users are": "new to the models" if new else "training users with a part hidden",
        "seed of tuning and bootstrap": seed,
        "options tried per model": max(tune_trials, 1),
        "processor": f"{platform.machine()}, {os.cpu_count()} logical cores",
        "system": f"{platform.system()}, Python {platform.python_version()}",
        "packages": ", ".join(f"{package} {version(package)}" for package in PACKAGES),
    }
