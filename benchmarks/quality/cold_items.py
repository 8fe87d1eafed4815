"""Items that nobody has: ranked by their features, against content neighbours and popularity.

    python -m benchmarks.quality.cold_items                    # all sets: half an hour on one core
    python -m benchmarks.quality.cold_items ml-1m --test

A tenth of the items is cold for validation and another for test (`split_items`); a fifth of the
users, up to 1,000, validate and as many test. Without --test only the validation users are ranked.
NDCG@20 of the cold items among themselves, NDCG@100 of the known items among themselves and of all
in one list, with and without features; paired differences to the content neighbours with 95%
intervals over the users.
"""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import scipy.sparse as sp
import torch

import recvae as rv
from benchmarks.common import measure_sets, options, with_interval
from recvae.data.datasets.releases import data_directory
from recvae.data.features import Features, unit_rows
from recvae.data.splits import Holdout
from recvae.evaluation.evaluate import with_stderr
from recvae.models import Recommender
from recvae.ranking.top_k import top_k

COLUMNS = {
    "ml-1m": ["genres", "year"],
    "ml-latest-small": ["genres", "year", "tags"],
    "citeulike-t": ["words"],
}
MODELS = {
    "popularity": {},
    "als": {},
    "edlae": {},
    "mult-vae": {"epochs": 30},
}
TOO_LARGE = {("citeulike-t", "edlae"), ("citeulike-t", "mult-vae")}
COLD, LIST = "ndcg@20", "ndcg@100"


class ContentNeighbours:
    """Scores by the cosine of features, summed over the history."""

    def __init__(self, features: sp.csr_matrix) -> None:
        self.features = unit_rows(features)

    def recommend(
        self,
        histories: sp.csr_matrix,
        k: int = 10,
        *,
        rows: np.ndarray | None = None,
        allow: np.ndarray | None = None,
        deny: sp.csr_matrix | None = None,
    ) -> tuple[np.ndarray, np.ndarray]:
        """The nearest items to each history."""
        return top_k(self._score, histories, k, allow=allow, deny=deny)

    def _score(self, histories: sp.csr_matrix, rows: np.ndarray | None) -> torch.Tensor:
        scores = (histories @ self.features) @ self.features.T
        return torch.from_numpy(scores.toarray().astype(np.float32))


def main() -> None:
    """Measure the sets that are named, or all, and print a table of each."""
    measure_sets(options(__doc__), "cold-items", list(COLUMNS), measure)


def measure(name: str, *, test: bool) -> list[dict[str, Any]]:
    """A line for each model."""
    data, columns = read(name), COLUMNS[name]
    split = rv.split_items(data)
    train = split.final if test and split.final is not None else split.train
    users = split.test if test else split.validation
    # For validation, the items that are cold for test are no candidates.
    candidates = (train.item_counts > 0) | (split.train.item_counts == 0)
    if not test and split.final is not None:
        candidates &= split.final.item_counts > 0
    known = np.flatnonzero(train.item_counts)
    cold = np.flatnonzero((train.item_counts == 0) & candidates)
    _, features = Features.learn(train.items, columns, train.item_counts > 0)
    content = rv.evaluate(ContentNeighbours(features), users, COLD, among=cold)
    lines = [{"model": "content neighbours", "cold": _with_error(content.per_user[COLD])}]
    for model, chosen in MODELS.items():
        if (name, model) in TOO_LARGE:
            continue
        fitted = rv.build_model(model, chosen).fit(train, split.validation, item_features=columns)
        own = rv.evaluate(fitted, users, COLD, among=cold)
        lines.append(
            {
                "model": model,
                "cold": _with_error(own.per_user[COLD]),
                "over content": with_interval(own.per_user[COLD] - content.per_user[COLD]),
                **_lists(fitted, users, known, np.flatnonzero(candidates)),
            }
        )
        print(name, lines[-1], flush=True)
    return lines


def read(name: str) -> rv.Interactions:
    """A data set with what is known of its items."""
    if name == "citeulike-t":
        return citeulike(data_directory(None) / name)
    data = rv.load_dataset(name, min_rating=4, min_user_items=5)
    if name == "ml-latest-small":
        tags = rv.load_tables(name).tags
        assert tags is not None
        data = data.with_item_info(tags.groupby("item")["tag"].agg("|".join).to_frame("tags"))
    return data


def citeulike(folder: Path) -> rv.Interactions:
    """Who keeps which article; its words, each as often as it is there."""
    kept = [line.split()[1:] for line in (folder / "users.dat").read_text().splitlines()]
    pairs = pd.DataFrame({"item": kept}).rename_axis("user").explode("item").dropna().astype(int)
    words = [
        " ".join(
            f"{word} " * int(count)
            for word, count in (pair.split(":") for pair in line.split()[1:])
        )
        for line in (folder / "mult.dat").read_text().splitlines()
    ]
    data = rv.read_interactions(pairs.reset_index(), min_user_items=5)
    return data.with_item_info(pd.DataFrame({"words": words}).rename_axis("item"))


def _lists(
    model: Recommender, users: Holdout, known: np.ndarray, candidates: np.ndarray
) -> dict[str, Any]:
    """The known items alone, all in one list, and all if the cold ones are never shown."""
    one = rv.evaluate(model, users, LIST, among=candidates)
    among_known = rv.evaluate(model, users, LIST, among=known)
    model.cold_items_, regression = None, model.cold_items_
    same = rv.evaluate(model, users, LIST, among=known)
    without = rv.evaluate(_Only(model, known), users, LIST, among=candidates)
    model.cold_items_ = regression
    assert same.per_user.equals(among_known.per_user)
    ids, _ = model.recommend(users.fold_in, 20, allow=candidates)
    return {
        "known": _with_error(among_known.per_user[LIST]),
        "one list": _with_error(one.per_user[LIST]),
        "over known only": with_interval(one.per_user[LIST] - without.per_user[LIST]),
        "cold in top 20": round(float(1 - np.isin(ids, known).mean()), 4),
    }


class _Only:
    """A model that shows some items only."""

    def __init__(self, model: Recommender, items: np.ndarray) -> None:
        self.model, self.items = model, items

    def recommend(self, histories: sp.csr_matrix, k: int = 10, **_: Any) -> Any:
        """The lists of these items."""
        return self.model.recommend(histories, k, allow=self.items)


def _with_error(values: pd.Series) -> str:
    return with_stderr(float(values.mean()), float(values.sem()))  # type: ignore[arg-type]


if __name__ == "__main__":
    main()
