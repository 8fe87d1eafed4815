"""A comparison in words and as a table to read."""

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from recvae.evaluation.evaluate import with_stderr
from recvae.experiments.significance import LEVEL

if TYPE_CHECKING:
    from recvae.experiments.comparison import Comparison


def headline(comparison: "Comparison") -> str:
    """The result in one sentence."""
    metric, best = comparison.metrics[-1], comparison.best
    score = f"{metric} {comparison.reports[best].mean[metric]:.4f}"
    others = [name for name in comparison.runs if name != best]
    equals = [name for name in others if comparison.is_top(metric, name)]
    if not others:
        return f"{best} reaches {score}."
    if equals:
        return f"{best} leads with {score}, not significantly ahead of {_and(equals)}."
    return f"{best} is best with {score}, significantly ahead of {_and(others)}."


def table(comparison: "Comparison") -> pd.DataFrame:
    """Mean ± standard error, with a mark for the top; training time, speed and size.

    Where models were fitted with several seeds, the standard deviation over them of the last
    metric's mean, too.
    """
    cells = {
        metric: [_cell(comparison, metric, name) for name in comparison.runs]
        for metric in comparison.metrics
    }
    numbers = comparison.table
    if any(run.seed_std is not None for run in comparison.runs.values()):
        spread = numbers[f"{comparison.metrics[-1]}_seed_std"]
        cells["over seeds"] = ["" if np.isnan(std) else f"± {std:.4f}" for std in spread]
    cells["training"] = [f"{seconds:,.1f} s" for seconds in numbers["training_seconds"]]
    cells["users/s"] = [f"{speed:,.0f}" for speed in numbers["users_per_second"]]
    cells["parameters"] = [f"{count:,}" for count in numbers["parameters"]]
    cells["size"] = [f"{size:,.1f} MB" for size in numbers["megabytes"]]
    return pd.DataFrame(cells, index=list(comparison.runs))


def legend(comparison: "Comparison") -> str:
    """What the mark in the table means."""
    return (
        "* the best, or not significantly worse than the best "
        f"(paired t-test over {comparison.n_users:,} users, Holm-corrected for all pairs, "
        f"p >= {LEVEL})"
    )


def _cell(comparison: "Comparison", metric: str, model: str) -> str:
    report = comparison.reports[model]
    mark = "*" if comparison.is_top(metric, model) else " "
    return f"{with_stderr(report.mean[metric], report.stderr[metric])} {mark}"


def _and(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
