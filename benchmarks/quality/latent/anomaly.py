"""Anomaly: how well false users are told from real ones, by a model that was trained on both.

Nobody says who is false: a shilling attack is injected into all ratings, which are filtered as
ever, a Mult-VAE is trained on what is left, and each detector gives each user a score.
"""

from itertools import product
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from sklearn.ensemble import IsolationForest
from sklearn.metrics import average_precision_score, roc_auc_score
from sklearn.neighbors import LocalOutlierFactor, NearestNeighbors
from sklearn.preprocessing import scale

import recvae as rv
from benchmarks.quality.latent.lab import mean, once, points
from recvae.display.themes import MARKERS

ATTACKS = ("random", "average", "bandwagon", "segment")
SHARES = (0.01, 0.03, 0.1)
SHOWN = "3%"
SEEDS = range(3)
SMALL: dict[str, Any] = {"hidden": (), "rate_schedule": "constant"}
WATCHERS = {
    "ml-100k": SMALL | {"latent": 64, "epochs": 40, "batch_size": 100, "learning_rate": 1e-3},
    "ml-1m": SMALL | {"latent": 100, "epochs": 10, "batch_size": 200, "learning_rate": 2e-3},
}
"""Options of the Mult-VAE that is trained on all users; nobody has tuned it."""
SEGMENT, SEGMENT_SIZE = "Horror", 5
TARGET_RATINGS = (5, 50)
NEIGHBOURS = 20


def measure() -> dict[str, Any]:
    """Means over seeds, each with a target and a model of its own."""
    return {
        data: {
            f"{attack}, {share:.0%}": summary(
                [attempt(data, attack, share, seed) for seed in SEEDS]
            )
            for share, attack in product(SHARES, ATTACKS)
        }
        for data in WATCHERS
    }


def summary(attempts: list[Any]) -> dict[str, Any]:
    """The mean of each figure of each detector."""
    return {
        detector: {
            figure: mean([one[detector][figure] for one in attempts])
            for figure in ("auc", "precision")
        }
        for detector in attempts[0]
    }


def attempt(data: str, attack: Any, share: float, seed: int) -> Any:
    """What every detector makes of one attack."""
    name = f"anomaly/{data}-{attack}-{share}-{seed}"
    watcher = rv.MultVAE(**WATCHERS[data])
    return once(name, lambda: judge(attacked(data, attack, share, seed), watcher))


def attacked(data: str, attack: Any, share: float, seed: int) -> rv.Interactions:
    """Likes of real and of false users; the target is an item that few have rated."""
    ratings = rv.load_dataset(data)
    counts = np.bincount(ratings.matrix.indices, minlength=ratings.shape[1])
    low, high = TARGET_RATINGS
    target = np.random.default_rng(seed).choice(np.flatnonzero((counts >= low) & (counts < high)))
    members = np.flatnonzero(ratings.items["genres"].str.contains(SEGMENT))
    segment = members[np.argsort(-counts[members])[:SEGMENT_SIZE]] if attack == "segment" else None
    attacked = rv.latent.inject_shilling(
        ratings, attack, int(target), rate=share, segment=segment, seed=seed
    )
    return attacked.filter(min_weight=4, min_user_items=5)


def judge(likes: rv.Interactions, watcher: rv.MultVAE) -> dict[str, Any]:
    """AUC and average precision of each detector."""
    is_false = likes.users["shilling"].to_numpy(dtype=bool)
    return {
        name: {
            "auc": float(roc_auc_score(is_false, scores)),
            "precision": float(average_precision_score(is_false, scores)),
        }
        for name, scores in detectors(likes, watcher.fit(likes)).items()
    }


def detectors(likes: rv.Interactions, watcher: rv.MultVAE) -> dict[str, Any]:
    """Scores of all users by the detectors: ours, then the baselines; the more, the odder."""
    odd = rv.latent.anomaly_scores(watcher, likes.matrix)
    codes, _ = watcher.encode(likes.matrix)
    features = scale(odd.assign(length=np.log(odd["length"])))
    return {
        "score": odd["score"],
        "surprisal": odd["surprisal"],
        "isolation forest": isolation(features),
        "nearest neighbours": distance(features),
        "local outlier factor": outlier_factor(features),
        "isolation forest, codes": isolation(codes),
        "nearest neighbours, codes": distance(codes),
        "popularity": unpopularity(likes),
    }


def isolation(features: np.ndarray) -> np.ndarray:
    """How few cuts part a user from all others (Liu et al., ICDM 2008)."""
    return -IsolationForest(n_estimators=200, random_state=0).fit(features).score_samples(features)


def distance(features: np.ndarray) -> np.ndarray:
    """The mean distance to the nearest neighbours."""
    near = NearestNeighbors(n_neighbors=NEIGHBOURS).fit(features)
    return near.kneighbors()[0].mean(axis=1)


def outlier_factor(features: np.ndarray) -> np.ndarray:
    """The distance to the neighbours, as a multiple of theirs (Breunig et al., SIGMOD 2000)."""
    return -LocalOutlierFactor(n_neighbors=NEIGHBOURS).fit(features).negative_outlier_factor_


def unpopularity(likes: rv.Interactions) -> np.ndarray:
    """The mean over a history of -log of the items' popularity: no model at all."""
    counts = np.asarray(likes.matrix.getnnz(axis=0))
    rarity = pd.Series(-np.log(counts[likes.matrix.indices]))
    return rarity.groupby(likes.rows).mean().to_numpy()


def draw(found: dict[str, Any]) -> Figure:
    """The AUC of each detector for each attack at one share of false users."""
    figure = Figure(figsize=(9, 3.6), layout="constrained")
    for axes, (data, cases) in zip(figure.subplots(1, 2, sharey=True), found.items(), strict=True):
        shown = [cases[f"{attack}, {SHOWN}"] for attack in ATTACKS]
        for number, detector in enumerate(shown[0]):
            values = [case[detector]["auc"] for case in shown]
            places = np.arange(len(ATTACKS)) + (number - len(shown[0]) / 2) / 12
            axes.errorbar(places, *points(values), fmt=MARKERS[number], label=detector)
        axes.set_xticks(range(len(ATTACKS)), ATTACKS)
        axes.set_title(data)
    axes.legend(loc="center left", bbox_to_anchor=(1, 0.5))
    figure.supylabel(f"ROC-AUC, {SHOWN} false users", fontsize="medium")
    return figure
