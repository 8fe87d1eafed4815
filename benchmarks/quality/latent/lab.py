"""What the parts share: the data, the split, the models, means with their standard errors."""

import json
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

import recvae as rv
from benchmarks.quality.spec import RESULTS, Spec
from recvae.models import Recommender

KEPT = Path("build/latent")
METRIC = "ndcg@100"
N_HELD_OUT = {"ml-1m": 1000, "ml-100k": 150}
"""Validation users, and as many test users."""

CONSTANT: dict[str, Any] = {"rate_schedule": "constant", "epochs": 100}
EARLIER: dict[str, dict[str, Any]] = {
    "mult-vae": {
        **CONSTANT,
        **{"hidden": (), "beta": 0.0165, "dropout": 0.253, "learning_rate": 3.82e-4},
        "batch_size": 57,
    },
    "mult-dae": {
        **CONSTANT,
        **{"latent": 193, "dropout": 0.4, "l2": 1.34e-5, "learning_rate": 8.41e-4},
        "batch_size": 61,
    },
}
"""Options that an earlier search had chosen on the validation users. The figures of these pages are
of them; results.toml has those of a later search, which gives Mult-VAE a hidden layer."""
DEEP = {**CONSTANT, "learning_rate": 1e-3, "batch_size": 500}
"""Mult-VAE as Liang et al. have it."""


def build(name: str) -> Recommender:
    """A model that is not fitted: the above, or as results.toml has it for MovieLens 1M."""
    if name == "mult-vae-deep":
        return rv.MultVAE(**DEEP)
    if name in EARLIER:
        return rv.build_model(name, EARLIER[name])
    return Spec.read(RESULTS).build(name, "ml-1m")


@cache
def likes(name: str) -> rv.Interactions:
    """What users rated 4 or 5, of users who have 5 such and more."""
    return rv.load_dataset(name, min_rating=4, min_user_items=5)


@cache
def split(name: str = "ml-1m") -> rv.Split:
    """New users held out, as in all results of the documentation."""
    return rv.split_users(likes(name), N_HELD_OUT[name], N_HELD_OUT[name])


@cache
def fitted(model: str) -> Any:
    """A model of the training users, fitted at its first use and kept on the disk."""
    folder = KEPT / "ml-1m" / model
    if not folder.is_dir():
        parts = split()
        build(model).fit(parts.train, validation=parts.validation).save(folder)
    return rv.load_model(folder)


def once(name: str, compute: Callable[[], Any]) -> Any:
    """What was computed, as JSON can say it; kept on the disk under a name."""
    file = KEPT / f"{name}.json"
    if not file.is_file():
        found = compute()
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(found), encoding="utf-8")
    return json.loads(file.read_text(encoding="utf-8"))


def quality(ranker: Any, holdout: rv.Holdout | None = None) -> np.ndarray:
    """NDCG@100 of each user, of the test users where not said otherwise: float64 [users]."""
    report = rv.evaluate(ranker, holdout or split().test, METRIC)
    return report.per_user[METRIC].to_numpy()


@cache
def whole(name: str) -> np.ndarray:
    """NDCG@100 of each test user by a model as it is."""
    return quality(fitted(name))


def kept(name: str, values: np.ndarray) -> dict[str, float]:
    """A mean as a share of the model's as it is; its error is of the difference, user by user."""
    before = whole(name)
    return {
        "mean": float(values.mean() / before.mean()),
        "stderr": mean(values - before)["stderr"] / float(before.mean()),
    }


def mean(values: ArrayLike) -> dict[str, float]:
    """The mean and its standard error; what is not a number does not count."""
    known = np.asarray(values, dtype=np.float64)
    known = known[~np.isnan(known)]
    return {"mean": float(known.mean()), "stderr": float(known.std(ddof=1) / len(known) ** 0.5)}


def points(values: Any) -> tuple[list[float], list[float]]:
    """Means, and their standard errors, of several such."""
    values = list(values)
    return [value["mean"] for value in values], [value["stderr"] for value in values]
