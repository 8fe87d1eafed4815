"""What a sample in the softmax costs: NDCG@100 of test users, beside the softmax over all items."""

from collections.abc import Iterator
from typing import Any
from unittest.mock import patch

import numpy as np

import recvae as rv
from benchmarks.speed.clock import alone
from benchmarks.speed.engine.quality import some, split_of
from benchmarks.speed.generated import by_topics
from recvae.models.contract.recommender import Recommender

SAMPLES: dict[str, tuple[int | None, ...]] = {
    "ml-1m": (None, 100),
    "generated": (None, 10_000),
}
"""How many items are sampled beside those of the batch; None: the softmax is over all."""
SEEDS = {"ml-1m": (0, 1, 2), "generated": (0,)}
OPTIONS: dict[str, dict[str, Any]] = {
    "ml-1m": {},
    "generated": {"hidden": (200,), "latent": 100, "epochs": 12},
}
"""Narrow where there are many items, so that a run takes minutes over all of them too."""
N_USERS, N_ITEMS = 23_000, 130_000
"""Generated; the 20,000 training users have 106,108 of the items."""
METRIC = "ndcg@100"


def measure(scale: float) -> Iterator[dict[str, Any]]:
    """Each sample, compared user by user with all items; a user's values are means over seeds."""
    for data, samples in SAMPLES.items():
        split = split_for(data, scale)
        popular = values_of(rv.Popularity().fit(split.train), split).mean()
        exact = None
        for n_sampled in samples:
            runs = [
                alone(train, data, n_sampled, seed, scale)[0] for seed in some(SEEDS[data], scale)
            ]
            values = np.mean(runs, axis=0)
            exact = values if exact is None else exact
            yield {
                "data": data,
                "items": split.train.matrix.shape[1],
                "sampled": n_sampled,
                "seeds": len(runs),
                METRIC: round(values.mean(), 4),
                **difference(values, exact),
                "popularity": round(popular, 4),
            }


def difference(values: np.ndarray, exact: np.ndarray) -> dict[str, float]:
    """Of the means, in percent, and its standard error over the users."""
    shares = 100 * (values - exact) / exact.mean()
    error = shares.std(ddof=1) / len(shares) ** 0.5
    return {"difference, %": round(shares.mean(), 2), "standard error": round(error, 2)}


def train(data: str, n_sampled: int | None, seed: int, scale: float) -> np.ndarray:
    """NDCG@100 of each test user after the epoch that is best for the validation users."""
    split = split_for(data, scale)
    model = rv.MultVAE(softmax="sampled" if n_sampled else "all", seed=seed, **OPTIONS[data])
    with patch("recvae.models.families.softmax.N_SAMPLED", n_sampled):
        model.fit(split.train, split.validation)
    return values_of(model, split)


def values_of(model: Recommender, split: rv.Split) -> np.ndarray:
    """NDCG@100 of each test user."""
    return rv.evaluate(model, split.test, (METRIC,)).per_user[METRIC].to_numpy()


def split_for(data: str, scale: float) -> rv.Split:
    """The split of the README, or that of a large catalogue."""
    if data == "ml-1m":
        return split_of(data, scale)
    generated = by_topics(int(N_USERS * scale), int(N_ITEMS * scale))
    held_out = int(1000 * scale)
    return rv.split_users(
        rv.Interactions.from_matrix(generated), n_validation=held_out, n_test=2 * held_out
    )
