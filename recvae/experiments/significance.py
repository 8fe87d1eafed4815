"""Significance: which differences between models are larger than chance, given the users.

Every model ranks for the same users, so models are compared user by user: by a paired t-test, and a
bootstrap interval as a check. docs/protocols.md says why this test.
"""

from collections.abc import Mapping
from itertools import combinations

import numpy as np
import pandas as pd
from scipy import stats

LEVEL = 0.05
"""Differences with a corrected p-value below this are called significant."""

RESAMPLES = 2000
BATCH_CELLS = 2**22


def differences_to_best(
    values: Mapping[str, pd.DataFrame], generator: np.random.Generator
) -> pd.DataFrame:
    """Compare every model with the best one, metric by metric.

    `values` are DataFrames users x metrics, of the same users and metrics. The result has a line
    per metric and model other than the metric's best: `best`, the name of the best; `difference`,
    the mean of model minus best over the users; `low` and `high`, its 95% bootstrap interval; `p`,
    corrected for the comparisons of all pairs of models by all metrics, since the same users say
    which model is the best.
    """
    lines, p_values = {}, {}
    for metric in next(iter(values.values())).columns:
        models = pd.DataFrame({name: frame[metric] for name, frame in values.items()})
        best = models.mean().idxmax()
        differences = models.drop(columns=best).sub(models[best], axis=0)
        low, high = bootstrap_interval(differences, generator)
        facts = {"best": best, "difference": differences.mean(), "low": low, "high": high}
        lines[metric] = pd.DataFrame(facts)
        for one, other in combinations(models, 2):
            pair = (models[one] - models[other]).to_frame()
            p_values[metric, frozenset({one, other})] = paired_t_test(pair).item()
    corrected = dict(zip(p_values, holm(np.array([*p_values.values()])), strict=True))
    table = pd.concat(lines, names=["metric", "model"])
    lines_of = zip(table.index, table["best"], strict=True)
    table["p"] = [corrected[metric, frozenset({model, best})] for (metric, model), best in lines_of]
    return table


def paired_t_test(differences: pd.DataFrame) -> pd.Series:
    """p-values of a paired t-test, two-sided, by column of a DataFrame users x comparisons.

    Examples:
        >>> paired_t_test(pd.DataFrame({"a": [0, 0, 0], "b": [1, 2, 3]})).round(3).to_dict()
        {'a': 1.0, 'b': 0.074}
    """
    t = (differences.mean() / differences.sem()).abs()
    p = 2 * stats.t.sf(t, len(differences) - 1)
    return pd.Series(p, index=differences.columns).fillna(1.0)


def holm(p_values: np.ndarray) -> np.ndarray:
    """Correct p-values for many comparisons: the chance of even one false alarm stays at p.

    The smallest of m is multiplied by m, the next by m - 1, and so on, none falling below the one
    before it (Holm 1979, "A simple sequentially rejective multiple test procedure").

    Examples:
        >>> holm(np.array([0.01, 0.04, 0.03]))
        array([0.03, 0.06, 0.06])
    """
    order = np.argsort(p_values)
    factors = np.arange(len(p_values), 0, -1)
    corrected = np.empty(len(p_values))
    corrected[order] = np.maximum.accumulate(p_values[order] * factors).clip(max=1)
    return corrected


def bootstrap_interval(
    differences: pd.DataFrame, generator: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """95% percentile interval of the mean of each column, users drawn with replacement.

    All columns use the same draws. With fewer than two users the interval is NaN.
    """
    n_users, n_columns = differences.shape
    if n_users < 2 or not n_columns:
        return np.full(n_columns, np.nan), np.full(n_columns, np.nan)
    interval = stats.bootstrap(
        (differences.to_numpy().T,),
        np.mean,
        axis=1,
        n_resamples=RESAMPLES,
        batch=max(1, BATCH_CELLS // differences.size),
        method="percentile",
        rng=generator,
    ).confidence_interval
    return np.asarray(interval.low), np.asarray(interval.high)
