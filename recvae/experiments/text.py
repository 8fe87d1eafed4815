"""Text: a comparison as a sentence and as a table to read.

`table` has a line per model, best first (see `Comparison.table`). `top`, bool [models, metrics],
marks the models than which no other is significantly better. Models are sorted by the last metric.
"""

import numpy as np
import pandas as pd

from recvae.evaluation.evaluate import with_stderr
from recvae.experiments.significance import LEVEL


def headline(table: pd.DataFrame, top: pd.DataFrame) -> str:
    """The result in one sentence."""
    metric, (best, *others) = top.columns[-1], table.index
    score = f"{metric} {table[metric].iloc[0]:.4f}"
    equals = [name for name in others if top.loc[name, metric]]
    if not others:
        return f"{best} reaches {score}."
    if equals:
        return f"{best} leads with {score}, not significantly ahead of {_and(equals)}."
    return f"{best} is best with {score}, significantly ahead of {_and(others)}."


def readable(table: pd.DataFrame, top: pd.DataFrame) -> pd.DataFrame:
    """Mean ± standard error, with a mark for the top; training time, speed and size.

    If models were fitted with several seeds, also the standard deviation of the last metric's mean
    over the seeds.
    """
    cells = {metric: _marked(table, metric, top[metric]) for metric in map(str, top)}
    spread = table.get(f"{top.columns[-1]}_seed_std")
    if spread is not None:
        cells["over seeds"] = ["" if np.isnan(std) else f"± {std:.4f}" for std in spread]
    cells["training"] = [f"{seconds:,.1f} s" for seconds in table["training_seconds"]]
    cells["users/s"] = [f"{speed:,.0f}" for speed in table["users_per_second"]]
    cells["parameters"] = [f"{count:,}" for count in table["parameters"]]
    cells["size"] = [f"{size:,.1f} MB" for size in table["megabytes"]]
    return pd.DataFrame(cells, index=list(table.index))


def legend(n_users: int) -> str:
    """The explanation of the mark in the table."""
    return (
        "* the best, or not significantly worse than the best "
        f"(paired t-test over {n_users:,} users, Holm-corrected for all pairs, p >= {LEVEL})"
    )


def _marked(table: pd.DataFrame, metric: str, top: pd.Series) -> list[str]:
    lines = zip(table[metric], table[f"{metric}_stderr"], top, strict=True)
    return [f"{with_stderr(mean, stderr)} {'*' if best else ' '}" for mean, stderr, best in lines]


def _and(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
