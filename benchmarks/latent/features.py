"""Features: what codes know of users beyond their items, against TruncatedSVD of the same size."""

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import scipy.sparse as sp
from lab import MODELS, likes, mean
from matplotlib.figure import Figure
from sklearn.decomposition import TruncatedSVD
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, KFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import Normalizer, StandardScaler

import recvae as rv

SIZES = (32, 200)
PENALTIES = {"C": (1e-3, 1e-2, 1e-1)}
FEATURES = ("mult-vae", "svd")
TARGETS = {"gender": "all", "age band": "all", "favourite genre": "half"}
"""What is predicted, and from how much of a history: the genre is that of the other half."""


def measure() -> dict[str, Any]:
    """Accuracy on users of other folds, and the paired difference, by size and target."""
    data = likes("ml-1m")
    shown, targets = described(data)
    results = {size: probe(shown, targets, size) for size in SIZES}
    return {
        "users": data.shape[0],
        "most frequent": {
            name: float(pd.Series(labels).value_counts(normalize=True).iloc[0])
            for name, labels in targets.items()
        },
        **{
            str(size): {name: summary(hits) for name, hits in results[size].items()}
            for size in SIZES
        },
    }


def described(data: rv.Interactions) -> tuple[dict[str, sp.csr_matrix], dict[str, np.ndarray]]:
    """Histories, whole and half, and what is known of the users."""
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


def probe(
    shown: dict[str, sp.csr_matrix], targets: dict[str, np.ndarray], size: int
) -> dict[str, pd.DataFrame]:
    """Whether each user's label is predicted, by features: trained on the users of other folds."""
    n = shown["all"].shape[0]
    hits = {name: pd.DataFrame(0.0, range(n), FEATURES) for name in targets}
    for train, test in KFold(5, shuffle=True, random_state=0).split(np.arange(n)):
        for kind in FEATURES:
            encoder = new_encoder(kind, size).fit(shown["all"][train])
            for name, labels in targets.items():
                rows = encoder.transform(shown[TARGETS[name]])
                found = new_probe().fit(rows[train], labels[train]).predict(rows[test])
                hits[name].loc[test, kind] = (found == labels[test]).astype(float)
    return hits


def new_encoder(kind: str, size: int) -> Any:
    """What turns histories into so many numbers each."""
    if kind == "svd":
        return make_pipeline(Normalizer(), TruncatedSVD(size, random_state=0))
    options: Any = {"latent": size}
    return rv.latent.LatentFeatures(replace(MODELS[kind], **options))


def new_probe() -> Any:
    """A logistic regression whose penalty its own training users choose."""
    search = GridSearchCV(LogisticRegression(max_iter=500), PENALTIES, scoring="neg_log_loss", cv=3)
    return make_pipeline(StandardScaler(), search)


def summary(hits: pd.DataFrame) -> dict[str, dict[str, float]]:
    """Accuracies, and by how much the first is ahead, user by user."""
    accuracies = {kind: mean(hits[kind].to_numpy()) for kind in FEATURES}
    return accuracies | {"difference": mean((hits["mult-vae"] - hits["svd"]).to_numpy())}


def draw(found: dict[str, Any]) -> Figure:
    """Accuracies with their standard errors, by target."""
    figure = Figure(figsize=(7, 3), layout="constrained")
    for axes, name in zip(figure.subplots(1, len(TARGETS)), TARGETS, strict=True):
        for kind in FEATURES:
            points = [found[str(size)][name][kind] for size in SIZES]
            errors = [point["stderr"] for point in points]
            axes.errorbar(SIZES, [point["mean"] for point in points], errors, label=kind, fmt="o-")
        axes.axhline(found["most frequent"][name], color="grey", linewidth=1, label="most frequent")
        axes.set_title(name)
        axes.set_xticks(SIZES)
        axes.set_xlabel("features")
        axes.margins(x=0.3)
    figure.axes[0].set_ylabel("accuracy")
    figure.axes[0].legend()
    return figure
