"""Cold items: scores of items that no training user has, from what is known of them."""

from dataclasses import dataclass, replace
from functools import partial
from typing import Self

import numpy as np
import pandas as pd
import scipy.sparse as sp
import torch

from recvae.data.features import FeatureSource, with_new_features
from recvae.data.ids import look_up
from recvae.data.interactions import Interactions
from recvae.data.splits import Holdout
from recvae.engine.states import of_shape
from recvae.models.contract.arrays import as_tensors, of_csr, taken, to_csr
from recvae.models.contract.ridge import Ridge, judges, mean_ndcg
from recvae.ranking.top_k import Score

RIDGE, RIDGES = 3.0, (1.0, 3.0, 10.0, 30.0)
"""The penalty of the regression, where nothing is held out to choose one of these by."""
RATIOS = (1.0, 2.0)
"""How much more the history can say than the scores."""
TENTH, SPREADS = 0.1, (0.25, 0.5, 0.75, 1.0, 1.25)
"""The part of the items that are scored as cold ones, to choose one of these spreads."""
PREFIX = "cold_items."


@dataclass(frozen=True, eq=False)
class ColdItems:
    """A ridge regression, for each user, of the scores of known items on the items' features.

    The score of an item f without interactions is mean + spread * std * (t + weight * x) F' A f,
    A = (F'F + rho I)^-1, where F [known items, features] is centred, and t and x are the scores and
    the history of the user, with mean 0 and variance 1 over the known items. For scores that are
    linear in item vectors, this is the same as a regression of these vectors.

    Attributes:
        features: CSR [items, features].
        known: bool [items], which of them have interactions.
        ridge: A.
        weight: how much the history counts beside the scores.
        spread: how far the cold items' scores are apart.
    """

    features: sp.csr_matrix
    known: np.ndarray
    ridge: Ridge
    weight: float = 0.0
    spread: float = 1.0

    @classmethod
    def learn(
        cls, features: sp.csr_matrix, counts: np.ndarray, score: Score, users: Holdout
    ) -> Self:
        """Learn the regression, and what it takes that cold items are ranked with the known ones.

        The penalty and the part of the history are those by which users' held-out items are ranked
        best when each is scored as a cold one, without regard to itself; the spread, when a tenth
        of them are. Where nothing is held out, the history says as much as the scores, and the
        spread is that of the regression.
        """
        known = counts > 0
        some = slice(judges(features.shape[0]))
        histories, held_out = users.fold_in[some], users.held_out[some]
        rows = None if users.rows is None else users.rows[some]
        scores = score(histories, rows).cpu().numpy()
        standard, _, _ = _standard(scores[:, known])
        history, _, _ = _standard(_dense(histories)[:, known])
        judge = partial(_ndcg, scores, known, histories, held_out)
        # Nothing to choose by: the spread is that of the regression of the scores alone.
        if not held_out[:, known].nnz:
            (ridge,) = Ridge.each(features[known], RIDGE)
            mixed, _, own = cls(features, known, ridge)._mixed(standard, history, 1.0)
            return replace(mixed, spread=own * mixed.spread)
        # First by lists of cold items alone, which the spread does not change; then the spread, by
        # lists in which a tenth of the items are cold.
        each = (
            cls(features, known, ridge)._mixed(standard, history, ratio)
            for ridge in Ridge.each(features[known], *RIDGES)
            for ratio in RATIOS
        )
        mixed, values, own = max(each, key=lambda one: judge(one[1], 1.0, 1.0))
        spread = max((own, *SPREADS), key=lambda spread: judge(values, spread, TENTH))
        return replace(mixed, spread=spread * mixed.spread)

    def of_today(self, data: Interactions, new: pd.Index, given: FeatureSource | None) -> Self:
        """The regression on today's items; what users chose stays.

        Args:
            data: today's training data.
            new: ids of items, all new ones among them.
            given: columns of the items' table, or vectors of `new`; None for none.

        Raises:
            OptionError: nothing is given, and there are new items.
            DataError: see `Features.learn`.
        """
        counts, places = data.item_counts, look_up(new, data.item_ids)
        features = with_new_features(self.features, data.items, given, counts > 0, places)
        (ridge,) = Ridge.each(features[counts > 0], self.ridge.penalty)
        return replace(self, features=features, known=counts > 0, ridge=ridge)

    def fill_(self, scores: torch.Tensor, histories: sp.csr_matrix) -> torch.Tensor:
        """Set the scores [users, items] of the cold items, in place."""
        cells = scores.cpu().numpy()
        standard, mean, std = _standard(cells[:, self.known])
        history, _, _ = _standard(_dense(histories)[:, self.known])
        fitted = self._fitted(standard + self.weight * history, self.features[~self.known])
        filled = torch.from_numpy((mean + self.spread * std * fitted).astype(np.float32))
        scores[:, torch.from_numpy(np.flatnonzero(~self.known))] = filled.to(scores.device)
        return scores

    def without_itself(self, targets: np.ndarray) -> np.ndarray:
        """What the regression says of each known item if that is left out: [users, known items]."""
        known = self.features[self.known]
        own = self.ridge.leverages(known, known.shape[0])
        return (self._fitted(targets, known) - own * targets) / (1 - own)

    def state(self) -> dict[str, torch.Tensor]:
        """The regression as named tensors."""
        scales = np.array([self.weight, self.spread], dtype=np.float32)
        return as_tensors(PREFIX, {**of_csr(self.features), **self.ridge.state(), "scales": scales})

    @classmethod
    def restore(cls, state: dict[str, torch.Tensor], counts: np.ndarray) -> Self | None:
        """Take the tensors of `state` out of a model's; None if it has none."""
        if not (own := taken(state, PREFIX)):
            return None
        ridge = Ridge.restore(own)
        weight, spread = of_shape(own["scales"], 2).tolist()
        features = to_csr(own, (len(counts), len(ridge.centre)))
        return cls(features, counts > 0, ridge, weight, spread)

    def _mixed(
        self, scores: np.ndarray, history: np.ndarray, ratio: float
    ) -> tuple[Self, np.ndarray, float]:
        """The regression where the history says `ratio` times as much as the scores.

        Returns:
            It; what it says of the known items, each left out, scaled to variance 1; the standard
            deviation of what it would say by the scores alone.
        """
        by_scores, by_history = self.without_itself(scores), self.without_itself(history)
        own = float(by_scores.std())
        weight = ratio * own / max(float(by_history.std()), 1e-9)
        both = by_scores + weight * by_history
        unit = max(float(both.std()), 1e-9)
        return replace(self, weight=weight, spread=1 / unit), both / unit, own

    def _fitted(self, targets: np.ndarray, lines: sp.csr_matrix) -> np.ndarray:
        """What the regression on targets [users, known items] says of lines [n, features]."""
        weights = self.ridge.times((self.features[self.known].T @ targets.T).T)
        return (lines @ weights.T).T - (weights @ self.ridge.centre)[:, None]


def _standard(values: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Rows with mean 0 and variance 1, and the means and standard deviations [users, 1]."""
    mean, std = values.mean(axis=1, keepdims=True), values.std(axis=1, keepdims=True)
    return (values - mean) / np.maximum(std, 1e-9), mean, std


def _dense(histories: sp.csr_matrix) -> np.ndarray:
    return (histories > 0).toarray().astype(np.float32)


def _ndcg(
    scores: np.ndarray,
    known: np.ndarray,
    histories: sp.csr_matrix,
    held_out: sp.csr_matrix,
    fitted: np.ndarray,
    spread: float,
    part: float,
) -> float:
    """The mean NDCG of known items where a random part of them is scored as cold ones."""
    standard, mean, std = _standard(scores[:, known])
    cold = np.random.default_rng(0).random(fitted.shape[1]) < part
    standard[:, cold] = spread * fitted[:, cold]
    cells = torch.from_numpy(mean + std * standard)
    held_out = held_out[:, known].tocsr()
    kept = np.diff(held_out.indptr) > 0
    return mean_ndcg(cells[kept], histories[:, known][kept], held_out[kept])
