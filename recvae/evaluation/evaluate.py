"""Evaluate: ranks items for the users of a holdout and measures how much was found."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cached_property
from time import perf_counter
from typing import Any, Protocol

import numpy as np
import pandas as pd
import scipy.sparse as sp

from recvae.data.ids import require_same_items
from recvae.data.item_info import item_labels
from recvae.data.splits import Holdout
from recvae.errors import DataError
from recvae.evaluation.metrics import RankedLists, parse_metrics

DEFAULT_METRICS = ("recall@20", "recall@50", "ndcg@100")
"""The default metrics, those of Liang et al. (2018)."""


class Ranker(Protocol):
    """The methods that evaluation calls on a model."""

    def recommend(
        self,
        histories: sp.csr_matrix,
        k: int = ...,
        *,
        rows: np.ndarray | None = ...,
        deny: sp.csr_matrix | None = ...,
    ) -> tuple[np.ndarray, np.ndarray]:
        """Columns int64 [users, k], -1 where a list ends, and their scores."""


@dataclass(frozen=True, eq=False)
class Report:
    """How well a model ranks the held-out items of some users.

    Attributes:
        mean: float, by metric: the mean over users.
        per_user: DataFrame users x metrics, indexed by raw user id if known, else by row of the
            holdout; coverage and gini, which have no values per user, are not in it.
        n_users: how many users were evaluated.
        n_skipped: how many users were skipped because they have no held-out item.
        seconds: how long ranking took.
        without_disliked: whether the lists were made without what the users dislike.
    """

    mean: pd.Series
    per_user: pd.DataFrame
    n_users: int
    n_skipped: int
    seconds: float
    without_disliked: bool = False

    @cached_property
    def stderr(self) -> pd.Series:
        """By metric: the standard error of its mean; NaN for coverage and gini."""
        return self.per_user.sem().reindex(self.mean.index)

    @property
    def users_per_second(self) -> float:
        """How many users were ranked in a second."""
        return self.n_users / self.seconds

    @property
    def table(self) -> pd.DataFrame:
        """A line per metric: its mean and standard error."""
        return pd.DataFrame({"mean": self.mean, "stderr": self.stderr})

    def select(self, metrics: Iterable[str]) -> "Report":
        """The same report with these metrics only."""
        names = list(metrics)
        per_user = self.per_user[[name for name in names if name in self.per_user]]
        return replace(self, mean=self.mean[names], per_user=per_user)

    def to_dict(self) -> dict[str, Any]:
        """Means, standard errors, counts and speed, in types that JSON has; NaN becomes None."""
        table = self.table.astype(object).where(self.table.notna(), None)
        return {
            "metrics": table.to_dict(orient="index"),
            "n_users": self.n_users,
            "n_skipped": self.n_skipped,
            "seconds": self.seconds,
            "without_disliked": self.without_disliked,
            "users_per_second": self.users_per_second,
        }

    def __repr__(self) -> str:
        width = max(map(len, self.mean.index))
        lines = [
            f"{name:<{width}}  {with_stderr(self.mean[name], self.stderr[name])}"
            for name in self.mean.index
        ]
        return "\n".join([*lines, self._caption()])

    def _repr_html_(self) -> str:
        table = self.table.to_html(float_format="{:.4f}".format, na_rep="")
        return f"{table}<p>{self._caption()}</p>"

    def _caption(self) -> str:
        skipped = f", {self.n_skipped:,} more with nothing held out" if self.n_skipped else ""
        lists = "; lists without what they dislike" if self.without_disliked else ""
        speed = f"{self.users_per_second:,.0f} users per second"
        return f"{self.n_users:,} users{skipped}{lists}; {speed}"


def evaluate(
    model: Ranker,
    holdout: Holdout,
    metrics: str | Iterable[str] = DEFAULT_METRICS,
    *,
    among: np.ndarray | None = None,
) -> Report:
    """Rank the items for each user of a holdout, and measure how much was found.

    Args:
        model: a fitted recommender.
        holdout: the users; users without held-out items are skipped and counted.
        metrics: one or more names such as `ndcg@100`: recall, full-recall, ndcg, precision, map,
            mrr, hit, coverage, novelty, gini, disliked and diversity (by the items' `genres`), each
            with any length of the list.
        among: columns of the items that are ranked and have to be found, such as the cold ones;
            None for all items.

    Returns:
        Means, standard errors and the values of each user.

    Raises:
        OptionError: a metric's name is mistyped.
        DataError: nothing is held out, or the holdout's items are not the model's.
    """
    parsed = parse_metrics(metrics)
    Holdout.require(holdout)
    if among is not None:
        is_chosen = np.isin(np.arange(holdout.held_out.shape[1]), among)
        holdout = replace(holdout, held_out=sp.csr_matrix(holdout.held_out.multiply(is_chosen)))
    kept = np.flatnonzero(np.diff(holdout.held_out.indptr))
    if not len(kept):
        raise DataError("nothing is held out of any user: there is nothing to judge a model by.")
    require_same_items(holdout.item_ids, getattr(model, "item_ids_", None))
    start = perf_counter()
    disliked = None if holdout.disliked is None else holdout.disliked[kept]
    deny = disliked if holdout.without_disliked else None
    ranked = _ranked(model, holdout, kept, max(metric.k for metric in parsed), among, deny)
    seconds = perf_counter() - start
    labels = _genres(model) if any(metric.kind == "diversity" for metric in parsed) else None
    lists = RankedLists(ranked, holdout.held_out[kept], _popularity(model), disliked, labels)
    values = {str(metric): metric(lists) for metric in parsed}
    everyone: pd.Index = pd.RangeIndex(holdout.held_out.shape[0], name="user")
    everyone = everyone if holdout.user_ids is None else holdout.user_ids
    per_user = {name: value for name, value in values.items() if np.ndim(value)}
    return Report(
        mean=pd.Series({name: float(np.mean(value)) for name, value in values.items()}),
        per_user=pd.DataFrame(per_user, index=everyone[kept]),
        n_users=len(kept),
        n_skipped=holdout.held_out.shape[0] - len(kept) + holdout.n_dropped,
        seconds=seconds,
        without_disliked=holdout.without_disliked,
    )


def mean_of(metric: str, model: Ranker, holdout: Holdout) -> float:
    """The mean of one metric over the users of a holdout, as `evaluate` measures it."""
    return float(evaluate(model, holdout, metric).mean[metric])


def _ranked(
    model: Ranker,
    holdout: Holdout,
    users: np.ndarray,
    k: int,
    among: np.ndarray | None,
    deny: sp.csr_matrix | None,
) -> np.ndarray:
    """The lists of some users of a holdout, [users, k], as its protocol makes them."""
    order = holdout.order if getattr(model, "reads_order", False) else None
    visible = holdout.fold_in if order is None else order
    chosen: dict[str, Any] = {} if among is None else {"allow": among}
    if not holdout.exclude_seen:
        chosen["exclude_seen"] = False
    rows = None if holdout.rows is None else holdout.rows[users]
    k = min(k, holdout.held_out.shape[1])
    return model.recommend(visible[users], k, rows=rows, deny=deny, **chosen)[0]


def with_stderr(mean: float, stderr: float) -> str:
    """A mean and its standard error as text: `0.4059 ± 0.0061`."""
    return f"{mean:.4f}" if np.isnan(stderr) else f"{mean:.4f} ± {stderr:.4f}"


def _popularity(model: Ranker) -> np.ndarray | None:
    """The fraction of the training users who have each item, at least 1 / users; or None."""
    counts = getattr(model, "item_counts_", None)
    return None if counts is None else np.maximum(counts, 1) / model.n_users_  # type: ignore[attr-defined]


def _genres(model: Ranker) -> sp.csr_matrix | None:
    """The genres of the model's items, [items, genres]; or None."""
    items = getattr(model, "items_", pd.DataFrame())
    return item_labels(items, "genres") if "genres" in items else None
