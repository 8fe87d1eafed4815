"""What the parts share: the data, the split, the models, a mean with its standard error."""

import json
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

import recvae as rv
from recvae.models import Recommender

KEPT = Path("build/latent")
N_HELD_OUT = {"ml-1m": 1000, "ml-100k": 150}
"""Validation users, and as many test users."""

CONSTANT: dict[str, Any] = {"rate_schedule": "constant", "epochs": 100}
MODELS: dict[str, Recommender] = {
    "mult-vae": rv.MultVAE(
        hidden=(), beta=0.0165, dropout=0.253, learning_rate=3.82e-4, batch_size=57, **CONSTANT
    ),
    "mult-vae-deep": rv.MultVAE(learning_rate=1e-3, batch_size=500, **CONSTANT),
    "mult-dae": rv.MultDAE(
        latent=193, dropout=0.4, l2=1.34e-5, learning_rate=8.41e-4, batch_size=61, **CONSTANT
    ),
    "residual-vae": rv.ResidualVAE(),
    "ease": rv.EASE(regularization=568),
    "als": rv.ImplicitALS(factors=53, alpha=5.99, regularization=33),
}
"""Those of the README's table, as they were tuned there; and Mult-VAE as Liang et al. have it."""


@cache
def likes(name: str) -> rv.Interactions:
    """What users rated 4 or 5, of users who have 5 such and more."""
    return rv.load_dataset(name, min_rating=4, min_user_items=5)


@cache
def split(name: str) -> rv.Split:
    """New users held out, as in all results of the documentation."""
    return rv.split_users(likes(name), N_HELD_OUT[name], N_HELD_OUT[name])


@cache
def fitted(model: str, data: str = "ml-1m") -> Recommender:
    """A model of the training users, fitted at its first use and kept on the disk."""
    folder = KEPT / data / model
    if not folder.is_dir():
        parts = split(data)
        MODELS[model].fit(parts.train, validation=parts.validation).save(folder)
    return rv.load_model(folder)


def once(name: str, compute: Callable[[], Any]) -> Any:
    """What was computed, as JSON can say it; kept on the disk under a name."""
    file = KEPT / f"{name}.json"
    if not file.is_file():
        found = compute()
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(found), encoding="utf-8")
    return json.loads(file.read_text(encoding="utf-8"))


def mean(values: np.ndarray) -> dict[str, float]:
    """The mean and its standard error; what is not a number does not count."""
    known = np.asarray(values, dtype=np.float64)
    known = known[~np.isnan(known)]
    return {"mean": float(known.mean()), "stderr": float(known.std(ddof=1) / len(known) ** 0.5)}
