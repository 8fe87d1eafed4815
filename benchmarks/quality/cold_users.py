"""Users without a history: lists by what is known of them, against the most popular items.

    python -m benchmarks.quality.cold_users           # the validation users, by several columns
    python -m benchmarks.quality.cold_users --test    # the test users, by all columns, once

The held-out users of `split_users` show nothing: all that they like is to be found. NDCG@20 and
Recall@20; differences to popularity with 95% intervals, paired by users.
"""

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import scipy.sparse as sp

import recvae as rv
from benchmarks.common import measure_sets, options, with_interval
from recvae.data.splits import Holdout
from recvae.evaluation.evaluate import with_stderr
from recvae.models import Recommender

SETS = ("ml-1m", "ml-100k")
COLUMNS = ["gender", "age", "occupation"]
METRICS = ["ndcg@20", "recall@20"]


class Told:
    """A model that is told what is known of some users."""

    def __init__(self, model: Recommender, users: pd.DataFrame) -> None:
        self.model, self.users = model, users

    def recommend(
        self, histories: sp.csr_matrix, k: int = 10, **_: Any
    ) -> tuple[np.ndarray, np.ndarray]:
        """The lists of these users."""
        return self.model.recommend(histories, k, user_features=self.users)


def main() -> None:
    """Measure the sets that are named, or all, and print a table of each."""
    measure_sets(options(__doc__), "cold-users", SETS, measure)


def measure(name: str, *, test: bool) -> list[dict[str, Any]]:
    """A line for popularity, and for the columns by which users are told apart."""
    data = rv.load_dataset(name, min_rating=4, min_user_items=5)
    jobs = "job " + data.users["occupation"].astype(str)  # of ML-1M, numbers without an order
    data = replace(data, users=data.users.assign(occupation=jobs))
    split = rv.split_users(data)
    users = nothing_shown(split.test if test else split.validation)
    popular = rv.evaluate(rv.Popularity().fit(split.train), users, METRICS)
    lines = [{"by": "popularity", **_values(popular)}]
    for columns in [COLUMNS] if test else [*([one] for one in COLUMNS), COLUMNS[:2], COLUMNS]:
        model = rv.Popularity().fit(split.train, user_features=columns)
        assert model.cold_users_ is not None
        found = rv.evaluate(Told(model, data.users.reindex(users.user_ids)), users, METRICS)
        over = {
            f"{metric} over popularity": with_interval(
                found.per_user[metric] - popular.per_user[metric]
            )
            for metric in METRICS
        }
        penalty = f"{model.cold_users_.ridge.penalty:g}"
        lines.append({"by": ", ".join(columns), "penalty": penalty, **_values(found), **over})
    return lines


def nothing_shown(users: Holdout) -> Holdout:
    """The same users, all of whose items are held out."""
    every = users.fold_in + users.held_out
    return Holdout(0 * every, every, user_ids=users.user_ids, item_ids=users.item_ids)


def _values(report: Any) -> dict[str, str]:
    return {metric: with_stderr(report.mean[metric], report.stderr[metric]) for metric in METRICS}


if __name__ == "__main__":
    main()
