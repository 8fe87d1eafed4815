"""Runs: the results of a model on the test users, pooled over splits and seeds."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import reduce
from operator import add

import numpy as np
import pandas as pd

from recvae.errors import DataError
from recvae.evaluation.evaluate import Report
from recvae.experiments.trials import Tuned
from recvae.models.contract.recommender import Recommender


@dataclass(frozen=True, eq=False)
class Run:
    """One model's part in a comparison.

    Attributes:
        model: the model; with several splits and seeds, from its last fit. It is not fitted if its
            values were read from the cache.
        report: its evaluation on the test users.
        curve: NDCG and recall at several lengths of the list, by metric's name.
        training_seconds: how long fitting took; if it was tuned, of the best trial only, and if the
            split has `final`, of the fit on that; with several splits and seeds, the mean of a fit.
        n_parameters: number of learnt parameters.
        n_bytes: their size in bytes.
        history: the training history with validation, a line an epoch; None without epochs.
        tuned: the trials of tuning; None if it was not tuned.
        seed_std: the standard deviation of each metric's mean over the seeds; None for one seed.
    """

    model: Recommender
    report: Report
    curve: pd.Series
    training_seconds: float
    n_parameters: int
    n_bytes: int
    history: pd.DataFrame | None = None
    tuned: Tuned[Recommender] | None = None
    seed_std: pd.Series | None = None


def over_splits(runs: Sequence[Run]) -> Run:
    """Pool runs, every user with the same weight; raise DataError if one is in several of them."""
    if len(runs) == 1:
        return runs[0]
    reports = [run.report for run in runs]
    per_user = pd.concat([report.per_user for report in reports])
    if per_user.index.has_duplicates:
        raise DataError(
            f"user {per_user.index[per_user.index.duplicated()][0]} is a test user of several "
            "splits: test each user once, as the folds of split_folds do, and name the users."
        )
    weights = np.array([report.n_users for report in reports]) / len(per_user)
    report = Report(
        mean=_mean([report.mean for report in reports], weights),
        per_user=per_user,
        n_users=len(per_user),
        n_skipped=sum(report.n_skipped for report in reports),
        seconds=sum(report.seconds for report in reports),
        without_disliked=reports[0].without_disliked,
    )
    return _pooled(runs, report, weights)


def over_seeds(runs: Sequence[Run]) -> Run:
    """Pool runs that were judged by the same users; each user's values are averaged."""
    if len(runs) == 1:
        return runs[0]
    means = pd.DataFrame([run.report.mean for run in runs])
    report = replace(
        runs[-1].report,
        mean=means.mean(),
        per_user=reduce(add, (run.report.per_user for run in runs)) / len(runs),
        seconds=float(np.mean([run.report.seconds for run in runs])),
    )
    weights = np.full(len(runs), 1 / len(runs))
    return replace(_pooled(runs, report, weights), seed_std=means.std())


def _pooled(runs: Sequence[Run], report: Report, weights: np.ndarray) -> Run:
    return replace(
        runs[-1],
        report=report,
        curve=_mean([run.curve for run in runs], weights),
        training_seconds=float(np.mean([run.training_seconds for run in runs])),
    )


def _mean(parts: Sequence[pd.Series], weights: np.ndarray) -> pd.Series:
    return pd.DataFrame(parts).mul(weights, axis=0).sum()
