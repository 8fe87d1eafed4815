"""Features: what codes know of users beyond their items, against TruncatedSVD of the same size."""

from functools import cache, partial
from typing import Any

import numpy as np
import pandas as pd
import scipy.sparse as sp
from matplotlib.figure import Figure
from sklearn.decomposition import TruncatedSVD
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, KFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import Normalizer, StandardScaler

import recvae as rv
from benchmarks.quality.latent.lab import build, likes, mean, once, points

SIZE = 200
PENALTIES = {"C": (1e-3, 1e-2, 1e-1)}
FEATURES = ("mult-vae", "svd")
FOLDS = 5
TARGETS = {"gender": "all", "age band": "all", "favourite genre": "half"}
"""What is predicted, and from how much of a history: the genre is that of the other half."""


def measure() -> dict[str, Any]:
    """Accuracy on users of other folds, and by how much codes are ahead, user by user."""
    folds = [once(f"ml-1m/features-{fold}", partial(probe, fold)) for fold in range(FOLDS)]
    hits = {name: pd.concat([pd.DataFrame(fold[name]) for fold in folds]) for name in TARGETS}
    labels = described()[1]
    return {
        "users": len(hits["gender"]),
        "features": SIZE,
        **{name: summary(hits[name], labels[name]) for name in TARGETS},
    }


@cache
def described() -> tuple[dict[str, sp.csr_matrix], dict[str, np.ndarray]]:
    """Histories, whole and half, and what is known of the users."""
    data = likes("ml-1m")
    half = rv.latent.drop(data.matrix, 0.5)
    rest = data.matrix - half
    rest.eliminate_zeros()
    targets = {
        "gender": data.users["gender"].to_numpy(),
        "age band": data.users["age"].to_numpy(),
        "favourite genre": favourites(rest, data.items["genres"].str.get_dummies()),
    }
    return {"all": data.matrix, "half": half}, targets


def favourites(histories: sp.csr_matrix, genres: pd.DataFrame) -> np.ndarray:
    """The genre that each user has more of than the others do, in standard deviations."""
    counts = (histories > 0).astype(float) @ genres.to_numpy(dtype=float)
    lengths = histories.getnnz(axis=1)[:, None]
    shares = counts.sum(axis=0) / lengths.sum()
    excess = (counts - lengths * shares) / np.sqrt(np.maximum(lengths, 1) * shares * (1 - shares))
    return genres.columns.to_numpy()[excess.argmax(axis=1)]


def probe(fold: int) -> dict[str, dict[str, list[bool]]]:
    """Whether the labels of a fold's users are predicted, trained on the users of the others."""
    shown, targets = described()
    folds = KFold(FOLDS, shuffle=True, random_state=0).split(shown["all"])
    train, test = list(folds)[fold]
    hits: dict[str, dict[str, list[bool]]] = {name: {} for name in TARGETS}
    for kind in FEATURES:
        encoder = new_encoder(kind).fit(shown["all"][train])
        for name, labels in targets.items():
            rows = encoder.transform(shown[TARGETS[name]])
            found = new_probe().fit(rows[train], labels[train]).predict(rows[test])
            hits[name][kind] = (found == labels[test]).tolist()
    return hits


def new_encoder(kind: str) -> Any:
    """What turns histories into so many numbers each."""
    if kind == "svd":
        return make_pipeline(Normalizer(), TruncatedSVD(SIZE, random_state=0))
    return rv.latent.LatentFeatures(build(kind))


def new_probe() -> Any:
    """A logistic regression whose penalty its own training users choose."""
    search = GridSearchCV(LogisticRegression(max_iter=500), PENALTIES, scoring="neg_log_loss", cv=3)
    return make_pipeline(StandardScaler(), search)


def summary(hits: pd.DataFrame, labels: np.ndarray) -> dict[str, Any]:
    """Accuracies, that of the most frequent label, and by how much codes are ahead of SVD."""
    hits = hits.astype(float)
    return {
        **{kind: mean(hits[kind].to_numpy()) for kind in FEATURES},
        "difference": mean((hits["mult-vae"] - hits["svd"]).to_numpy()),
        "most frequent": float(pd.Series(labels).value_counts(normalize=True).iloc[0]),
    }


def draw(found: dict[str, Any]) -> Figure:
    """Accuracies with their standard errors, by target."""
    figure = Figure(figsize=(6, 3), layout="constrained")
    axes = figure.subplots()
    for shift, kind in zip((-0.08, 0.08), FEATURES, strict=True):
        places = np.arange(len(TARGETS)) + shift
        axes.errorbar(places, *points(found[name][kind] for name in TARGETS), label=kind, fmt="o")
    frequent = [found[name]["most frequent"] for name in TARGETS]
    axes.plot(
        range(len(TARGETS)), frequent, "_", color="grey", markersize=30, label="most frequent"
    )
    axes.set_xticks(range(len(TARGETS)), TARGETS)
    axes.set_ylabel("accuracy")
    axes.margins(x=0.2)
    axes.legend()
    return figure
