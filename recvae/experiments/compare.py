"""Compare: fits every model on the same users and evaluates it on the same test users."""

import os
import platform
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from importlib.metadata import version
from os import PathLike
from typing import Any

import numpy as np

from recvae import options
from recvae.data.splits import Holdout, Split
from recvae.disk.paths import path_of
from recvae.display.progress import progress
from recvae.errors import FoldInError, OptionError, RecvaeError
from recvae.evaluation.evaluate import DEFAULT_METRICS, evaluate
from recvae.evaluation.metrics import Metric, parse_metrics
from recvae.experiments.comparison import Comparison
from recvae.experiments.run_cache import RunCache
from recvae.experiments.runs import Run, over_seeds, over_splits
from recvae.experiments.significance import differences_to_best
from recvae.experiments.trials import fit_timed
from recvae.experiments.tuning import tune
from recvae.models.contract.recommender import Recommender

LENGTHS = (1, 2, 3, 5, 7, 10, 15, 20, 30, 50, 70, 100)
"""The lengths of the list at which the report draws NDCG and recall."""

CURVES = tuple(f"{kind}@{k}" for kind in ("ndcg", "recall") for k in LENGTHS)

PACKAGES = ("recvae", "torch", "implicit", "numpy", "scipy")


def compare(
    models: Mapping[str, Recommender],
    split: Split | Sequence[Split],
    *,
    metrics: Iterable[str] = DEFAULT_METRICS,
    tune_trials: int = 0,
    seeds: Sequence[int] = (),
    seed: int = 0,
    data: str = "",
    cache_dir: str | PathLike[str] | None = None,
) -> Comparison:
    """Fit every model on `split.train` and judge it, once, by `split.test`.

    Args:
        models: the models to compare, by the name to show.
        split: training, validation and test users. With several splits, such as `split_folds`
            makes, every model is fitted on each of them, and judged by the test users of all
            together. Of a split that has `final`, a copy of the model is fitted on that, with
            what the validation users have chosen (see `Recommender.refit`), and judged. A model
            is skipped if it can't serve the test users, because they are new, or if it can't be
            fitted; the result says why.
        metrics: the metrics. Models are tuned and sorted by the last one, which must measure
            accuracy: recall, ndcg, precision, map, mrr or hit.
        tune_trials: how many combinations of options to try for each model on the validation
            users, its own options first (see `recvae.tune`), anew for each split and seed; 0 fits
            the models as they are, in place.
        seeds: fit a copy of each model that has an option `seed` with each of these seeds, and
            average the values of each user; empty means the models' own seeds.
        seed: decides which combinations are tried, and the bootstrap's draws.
        data: the name of the data and the split in the report.
        cache_dir: a folder that keeps the values of each fit. A fit that is there is not done
            again: a comparison that was stopped goes on where it was, and one more model costs
            only its own fits. It is for models that are not tuned.

    Raises:
        OptionError: `models` is no mapping of models, a seed is there twice, a metric's name is
            mistyped, the last metric does not measure accuracy, no model remains to compare, or
            `cache_dir` is given with `tune_trials`.
        DataError: no test user has a held-out item.
    """
    names = _checked(metrics)
    splits = [split] if isinstance(split, Split) else list(split)
    _check(models, splits, seeds, seed)
    if cache_dir is not None and tune_trials:
        raise OptionError("what is tuned can't be kept: tune first, then compare what was chosen.")
    cache = None if cache_dir is None else RunCache(path_of(cache_dir), names)

    def fit(model: Recommender, split: Split) -> Run:
        measure = partial(_run, model, split, names, tune_trials, seed)
        return measure() if cache is None else cache.get(model, split, measure)

    def run(model: Recommender) -> Run:
        variants = _with_seeds(model, seeds)
        return over_seeds([over_splits([fit(one, split) for split in splits]) for one in variants])

    runs, skipped = _each(models, run)
    best_first = sorted(runs, key=lambda name: -runs[name].report.mean[names[-1]])
    tested = [name for name in names if Metric.parse(name).is_accuracy]
    return Comparison(
        runs={name: runs[name] for name in best_first},
        differences=differences_to_best(
            {name: runs[name].report.per_user[tested] for name in best_first},
            np.random.default_rng(seed),
        ),
        history_lengths=np.concatenate([_history_lengths(split.test) for split in splits]),
        skipped=skipped,
        setting=_setting(data, splits, seeds, seed, tune_trials),
    )


def _checked(metrics: Iterable[str]) -> list[str]:
    parsed = parse_metrics(metrics)
    if not parsed[-1].is_accuracy:
        raise OptionError(
            f"models can't be sorted by {parsed[-1]}: put a metric of accuracy last, "
            "such as 'ndcg@100'."
        )
    return [str(metric) for metric in parsed]


def _check(
    models: Mapping[str, Recommender], splits: list[Split], seeds: Sequence[int], seed: int
) -> None:
    """Raise OptionError unless models are by name, splits are splits, and seeds are distinct."""
    if not isinstance(models, Mapping):
        raise OptionError(
            f"expected a mapping of models by name, got {type(models).__name__}: give them as "
            '{"ease": EASE()}; build_model makes one of a name.'
        )
    for name, model in models.items():
        if not hasattr(model, "supports_new_users") or isinstance(model, type):
            raise OptionError(f"{name!r} is no model but {type(model).__name__}: see build_model.")
    if not splits or not all(isinstance(split, Split) for split in splits):
        raise OptionError("expected a Split, or a list of them: see split_users and split_folds.")
    if min([seed, *seeds]) < 0:
        raise OptionError(f"a seed must be 0 or more, not {min([seed, *seeds])}.")
    if len(set(seeds)) < len(seeds):
        raise OptionError(f"seeds={tuple(seeds)} holds one twice, which would count as two fits.")


def _each(
    models: Mapping[str, Recommender], run: Callable[[Recommender], Run]
) -> tuple[dict[str, Run], dict[str, str]]:
    """The run of each model, and the reason why a model has none; OptionError if none has."""
    runs: dict[str, Run] = {}
    skipped: dict[str, str] = {}
    for name in progress(list(models), "comparing", unit="model"):
        try:
            runs[name] = run(models[name])
        except RecvaeError as error:
            skipped[name] = str(error)
    if not runs:
        reasons = "; ".join(f"{name}: {reason}" for name, reason in skipped.items())
        raise OptionError(f"there is no model to compare ({reasons or 'none was given'}).")
    return runs, skipped


def _with_seeds(model: Recommender, seeds: Sequence[int]) -> list[Recommender]:
    """A copy of the model with each seed; the model itself if there are none or it has no seed."""
    given = options.values(model)
    if not len(seeds) or "seed" not in given:
        return [model]
    return [options.build(type(model), {**given, "seed": seed}) for seed in seeds]


def _run(model: Recommender, split: Split, metrics: list[str], trials: int, seed: int) -> Run:
    """Fit or tune a model, then judge it by the test users."""
    if not model.supports_new_users and split.test.rows is None:
        raise FoldInError("it knows only the users it was trained on, and the test users are new")
    tuned, seconds = None, 0.0
    if trials:
        tuned = tune(
            model, split.train, split.validation, trials=trials, metric=metrics[-1], seed=seed
        )
        if tuned.interrupted:
            raise KeyboardInterrupt
        model, seconds = tuned.model, float(tuned.trials["seconds"][tuned.best])
    elif split.final is None or model.reads_validation:
        seconds = fit_timed(model, split.train, split.validation)
    history = model.history_
    if split.final is not None:
        model = model.as_chosen()
        seconds = fit_timed(model, split.final, None)
    report = evaluate(model, split.test, [*metrics, *CURVES])
    return Run(
        model=model,
        report=report.select(metrics),
        curve=report.mean[list(CURVES)],
        training_seconds=seconds,
        n_parameters=model.n_parameters,
        n_bytes=model.n_bytes,
        history=history,
        tuned=tuned,
    )


def _history_lengths(holdout: Holdout) -> np.ndarray:
    """int [users]: the length of the history of each user with held-out items."""
    return np.diff(holdout.fold_in.indptr)[np.diff(holdout.held_out.indptr) > 0]


def _setting(
    data: str, splits: list[Split], seeds: Sequence[int], seed: int, tune_trials: int
) -> dict[str, Any]:
    """The setting of a comparison, in types that JSON has; of several splits, mean sizes."""
    trains = [split.train if split.final is None else split.final for split in splits]
    new = splits[0].test.rows is None
    without = "what is shown" + ", and dislikes" * splits[0].test.without_disliked
    return {
        "data": data or "not named",
        "splits": len(splits),
        "training users": _mean(train.shape[0] for train in trains),
        "items": _mean(train.shape[1] for train in trains),
        "training interactions": _mean(train.matrix.nnz for train in trains),
        "data fingerprint": ", ".join(train.fingerprint() for train in trains),
        "validation users": _mean(split.validation.fold_in.shape[0] for split in splits),
        "test users": sum(split.test.fold_in.shape[0] for split in splits),
        "lists are made without": without,
        "test users are": "new to the models" if new else "training users with a part hidden",
        "seeds of the models": ", ".join(map(str, seeds)) or "their own",
        "seed of tuning and bootstrap": seed,
        "options tried per model": max(tune_trials, 1),
        "processor": f"{platform.machine()}, {os.cpu_count()} logical cores",
        "system": f"{platform.system()}, Python {platform.python_version()}",
        "packages": ", ".join(f"{package} {version(package)}" for package in PACKAGES),
    }


def _mean(counts: Iterable[int]) -> int:
    return round(np.mean(list(counts)))
