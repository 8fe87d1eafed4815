"""Metrics of ranked lists. Each is a pure function of the lists and K, the same for every model.

Below, rel(r) is 1 if the item at rank r was held out and 0 if not, and n is how many items were
held out of a user. Items beyond the end of a list that is shorter than K count as misses.
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from recvae.data.splits.holdout import NO_DISLIKES
from recvae.errors import DataError, OptionError, did_you_mean

Values = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class RankedLists:
    """Ranked lists and the held-out items: everything that a metric needs.

    Attributes:
        ranked: int64 [users, K], columns of the items, best first; -1 where a list has ended.
        held_out: CSR [users, items], the items to find, at least one for each user.
        popularity: float [items] > 0, the fraction of the training users who have each item; only
            `novelty` needs it.
        disliked: CSR [users, items], what the users are known to dislike; only `disliked` needs it.
        labels: CSR [items, labels] of ones, what each item is; only `diversity` needs it.
    """

    ranked: np.ndarray
    held_out: sp.csr_matrix
    popularity: np.ndarray | None = None
    disliked: sp.csr_matrix | None = None
    labels: sp.csr_matrix | None = None

    @cached_property
    def hits(self) -> NDArray[np.bool_]:
        """bool [users, K]: which of the listed items were held out."""
        return self.are_in(self.held_out)

    def are_in(self, items: sp.csr_matrix) -> NDArray[np.bool_]:
        """bool [users, K]: which of the listed items are among some of each user, CSR."""
        # Look all listed cells up at once; -1 looks up column 0, and is masked afterwards.
        rows = np.repeat(np.arange(len(self.ranked)), self.ranked.shape[1])
        weights = sp.csr_matrix(items)[rows, np.maximum(self.ranked, 0).ravel()]
        return (np.asarray(weights).reshape(self.ranked.shape) > 0) & (self.ranked >= 0)

    @cached_property
    def n_held_out(self) -> NDArray[np.int64]:
        """int [users]: how many items were held out of each user."""
        return np.diff(self.held_out.indptr)


def recall(lists: RankedLists, k: int) -> Values:
    """The fraction of the held-out items that are in the list: hits / min(K, n).

    The denominator min(K, n) makes 1 the best possible value for every user (Liang et al. 2018,
    "Variational Autoencoders for Collaborative Filtering").

    Examples:
        >>> lists = RankedLists(np.array([[3, 1, 0]]), sp.csr_matrix([[0, 1, 0, 0, 1]]))
        >>> recall(lists, 1), recall(lists, 2)
        (array([0.]), array([0.5]))
    """
    return np.count_nonzero(lists.hits[:, :k], axis=1) / lists.n_held_out.clip(max=k)


def full_recall(lists: RankedLists, k: int) -> Values:
    """The fraction of all held-out items that are in the list: hits / n.

    What papers on graph networks call recall (Wang et al. 2019, "Neural Graph Collaborative
    Filtering"). With n above K it can't reach 1.

    Examples:
        >>> lists = RankedLists(np.array([[3, 1, 0]]), sp.csr_matrix([[0, 1, 0, 0, 1]]))
        >>> full_recall(lists, 2)
        array([0.5])
    """
    return np.count_nonzero(lists.hits[:, :k], axis=1) / lists.n_held_out


def precision(lists: RankedLists, k: int) -> Values:
    """The fraction of the list that was held out: hits / K.

    Examples:
        >>> lists = RankedLists(np.array([[3, 1, 0]]), sp.csr_matrix([[0, 1, 0, 0, 1]]))
        >>> precision(lists, 2)
        array([0.5])
    """
    return np.count_nonzero(lists.hits[:, :k], axis=1) / k


def ndcg(lists: RankedLists, k: int) -> Values:
    """Normalised discounted cumulative gain, binary: DCG / the best possible DCG.

    DCG = sum over ranks r <= K of rel(r) / log2(r + 1); the best possible has hits at the ranks
    1 to min(K, n) (Järvelin and Kekäläinen 2002, "Cumulated gain-based evaluation of IR
    techniques", with the ideal truncated as in Liang et al. 2018).

    Examples:
        >>> lists = RankedLists(np.array([[3, 1, 0]]), sp.csr_matrix([[0, 1, 0, 0, 1]]))
        >>> ndcg(lists, 3).round(4)  # (1 / log2(3)) / (1 / log2(2) + 1 / log2(3))
        array([0.3869])
    """
    k = min(k, max(lists.hits.shape[1], lists.n_held_out.max()))
    discounts = 1 / np.log2(np.arange(2, k + 2))
    hits = lists.hits[:, :k]
    ideal = np.cumsum(discounts)[lists.n_held_out.clip(max=k) - 1]
    return hits @ discounts[: hits.shape[1]] / ideal


def average_precision(lists: RankedLists, k: int) -> Values:
    """Average precision, whose mean is MAP: sum of rel(r) * precision@r over r <= K, / min(K, n).

    Examples:
        >>> lists = RankedLists(np.array([[3, 1, 4]]), sp.csr_matrix([[0, 1, 0, 0, 1]]))
        >>> average_precision(lists, 3).round(4)  # (1/2 + 2/3) / 2
        array([0.5833])
    """
    hits = lists.hits[:, :k]
    precisions = hits.cumsum(axis=1) / np.arange(1, hits.shape[1] + 1)
    return (hits * precisions).sum(axis=1) / lists.n_held_out.clip(max=k)


def reciprocal_rank(lists: RankedLists, k: int) -> Values:
    """One over the rank of the first hit, whose mean is MRR; 0 without a hit in the first K.

    Examples:
        >>> lists = RankedLists(np.array([[3, 1, 4]]), sp.csr_matrix([[0, 1, 0, 0, 1]]))
        >>> reciprocal_rank(lists, 1), reciprocal_rank(lists, 3)
        (array([0.]), array([0.5]))
    """
    hits = lists.hits[:, :k]
    return hits.any(axis=1) / (hits.argmax(axis=1) + 1)


def hit_rate(lists: RankedLists, k: int) -> Values:
    """1 if at least one held-out item is in the list, else 0.

    Examples:
        >>> lists = RankedLists(np.array([[3, 1, 4]]), sp.csr_matrix([[0, 1, 0, 0, 1]]))
        >>> hit_rate(lists, 1), hit_rate(lists, 2)
        (array([0.]), array([1.]))
    """
    return np.any(lists.hits[:, :k], axis=1).astype(np.float64)


def coverage(lists: RankedLists, k: int) -> float:
    """The fraction of all items that are in at least one list: one number, not one per user.

    Examples:
        >>> lists = RankedLists(np.array([[0, 1], [0, 2]]), sp.csr_matrix(np.eye(2, 4)))
        >>> coverage(lists, 1), coverage(lists, 2)
        (0.25, 0.75)
    """
    listed = np.unique(lists.ranked[:, :k])
    return float((listed >= 0).sum() / lists.held_out.shape[1])


def novelty(lists: RankedLists, k: int) -> Values:
    """How surprising the list is: mean of -log2 p(i) over its items.

    p(i) is the fraction of the training users who have item i, or 1 / users if nobody has it
    (Vargas and Castells 2011, "Rank and relevance in novelty and diversity metrics for
    recommender systems").

    Raises:
        DataError: the lists come without `popularity`.

    Examples:
        >>> held_out, popularity = sp.csr_matrix([[1, 0, 0]]), np.array([0.5, 1, 0.25])
        >>> novelty(RankedLists(np.array([[0, 2]]), held_out, popularity), 2)  # (1 + 2) / 2
        array([1.5])
    """
    if lists.popularity is None:
        raise DataError("novelty needs popularity: the model must have item_counts_ and n_users_.")
    listed = lists.ranked[:, :k] >= 0
    surprisal = np.where(listed, -np.log2(lists.popularity)[lists.ranked[:, :k]], 0)
    return surprisal.sum(axis=1) / np.maximum(listed.sum(axis=1), 1)


def disliked(lists: RankedLists, k: int) -> Values:
    """The fraction of the list that the user is known to dislike: lower is better.

    Raises:
        DataError: nothing is known of what the users dislike.

    Examples:
        >>> held_out, low = sp.csr_matrix([[0, 1, 0, 0]]), sp.csr_matrix([[1, 0, 0, 1]])
        >>> disliked(RankedLists(np.array([[3, 1]]), held_out, disliked=low), 2)
        array([0.5])
    """
    if lists.disliked is None:
        raise DataError(NO_DISLIKES)
    return np.count_nonzero(lists.are_in(lists.disliked)[:, :k], axis=1) / k


def diversity(lists: RankedLists, k: int) -> Values:
    """Intra-list diversity: how unlike each other the items of the list are, from 0 to 1.

    The mean over all pairs of items of 1 - (labels in common) / (labels of either); two items
    without any label are unlike (Smyth and McClave 2001, "Similarity vs. diversity"; by topics as
    in Ziegler et al. 2005, "Improving recommendation lists through topic diversification").

    Raises:
        DataError: the lists come without `labels`.

    Examples:
        >>> held_out, labels = sp.csr_matrix([[1, 0, 0]]), sp.csr_matrix([[1, 0], [1, 1], [0, 1]])
        >>> lists = RankedLists(np.array([[0, 1, 2]]), held_out, labels=labels)
        >>> diversity(lists, 2), diversity(lists, 3).round(4)  # 1/2; (1/2 + 1/2 + 1) / 3
        (array([0.5]), array([0.6667]))
    """
    if lists.labels is None:
        raise DataError("diversity needs labels: the model's items must have a column `genres`.")
    ranked, n_labels = lists.ranked[:, :k], np.asarray(lists.labels.sum(axis=1)).ravel()
    apart, n_pairs = np.zeros(len(ranked)), np.zeros(len(ranked))
    for gap in range(1, ranked.shape[1]):
        one, other = ranked[:, :-gap], ranked[:, gap:]
        common = lists.labels[one.ravel()].multiply(lists.labels[other.ravel()]).sum(axis=1)
        shared = np.asarray(common).reshape(one.shape)
        alike = shared / np.maximum(n_labels[one] + n_labels[other] - shared, 1)
        apart += (1 - alike).sum(axis=1, where=other >= 0)
        n_pairs += np.count_nonzero(other >= 0, axis=1)
    return apart / np.maximum(n_pairs, 1)


def gini(lists: RankedLists, k: int) -> float:
    """How unequally the items are shown, over all lists: one number, not one per user.

    The Gini coefficient of how often each item is in a list: 0 if all are as often, near 1 if the
    same few are in every list (Fleder and Hosanagar 2009, "Blockbuster culture's next rise or
    fall").

    Examples:
        >>> lists = RankedLists(np.array([[0, 1], [0, 2]]), sp.csr_matrix(np.eye(2, 4)))
        >>> gini(lists, 1), gini(lists, 2)  # shown 2, 0, 0, 0 times; 2, 1, 1, 0 times
        (0.75, 0.375)
    """
    ranked, n_items = lists.ranked[:, :k], lists.held_out.shape[1]
    times = np.sort(np.bincount(ranked[ranked >= 0], minlength=n_items))
    return float((2 * np.arange(n_items) + 1 - n_items) @ times / (n_items * max(times.sum(), 1)))


Measure = Callable[[RankedLists, int], "Values | float"]

ACCURACY: dict[str, Measure] = {
    "recall": recall,
    "full-recall": full_recall,
    "ndcg": ndcg,
    "precision": precision,
    "map": average_precision,
    "mrr": reciprocal_rank,
    "hit": hit_rate,
}
"""Metrics of how many held-out items were found: higher is better, one value per user."""

METRICS: dict[str, Measure] = {
    **ACCURACY,
    "coverage": coverage,
    "diversity": diversity,
    "gini": gini,
    "novelty": novelty,
    "disliked": disliked,
}
"""All metrics, by the name before the @."""

LOWER = {"gini", "disliked"}
"""Metrics of what nobody wants: lower is better."""


@dataclass(frozen=True)
class Metric:
    """A metric and its K, known by a name such as `ndcg@100`.

    Examples:
        >>> Metric.parse("ndcg@100")
        Metric(kind='ndcg', k=100)
    """

    kind: str
    k: int

    @classmethod
    def parse(cls, name: str) -> "Metric":
        """Read a name such as `ndcg@100`.

        Raises:
            OptionError: no such metric, or no length.
        """
        kind, _, k = name.partition("@")
        if kind not in METRICS:
            raise OptionError(f"no metric is called {name!r}: {did_you_mean(kind, METRICS)}")
        if not re.fullmatch("[1-9][0-9]*", k):
            raise OptionError(f"metric {name!r} needs a length of the list, such as '{kind}@20'.")
        return cls(kind, int(k))

    def __call__(self, lists: RankedLists) -> "Values | float":
        """float64 [users], or one number for a metric of all lists together."""
        return METRICS[self.kind](lists, self.k)

    def __str__(self) -> str:
        return f"{self.kind}@{self.k}"

    @property
    def is_accuracy(self) -> bool:
        """Whether it measures how many held-out items were found, with a value for each user."""
        return self.kind in ACCURACY


def require_higher(name: str) -> None:
    """Raise OptionError unless a metric can choose a model: higher must be better."""
    if Metric.parse(name).kind in LOWER:
        raise OptionError(f"{name} is better the lower it is: choose by another, as 'ndcg@100'.")


def parse_metrics(names: str | Iterable[str]) -> list[Metric]:
    """Read the names of metrics, without duplicates; a single name may be given as text.

    Raises:
        OptionError: a name is mistyped, or there is none.
    """
    listed = [names] if isinstance(names, str) else names
    metrics = [Metric.parse(str(name)) for name in dict.fromkeys(listed)]
    if not metrics:
        raise OptionError("name at least one metric, such as 'ndcg@100'.")
    return metrics
