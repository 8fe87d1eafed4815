"""Uncertainty: the entropy of the codes of test users, held against how well they are served."""

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from scipy.stats import spearmanr

import recvae as rv
from benchmarks.quality.latent.lab import METRIC, fitted, split

PAIRS = (("entropy", "length"), ("entropy", METRIC), ("length", METRIC))
COVERAGES = np.arange(1, 21) / 20
RESAMPLED = 500


def measure() -> dict[str, Any]:
    """What the entropy goes along with, standard errors by resampling the users."""
    judged = rv.latent.judge_uncertainty(fitted("mult-vae"), split().test)
    users, rng = judged.per_user, np.random.default_rng(0)
    numbers = (rng.integers(len(users), size=len(users)) for _ in range(RESAMPLED))
    draws = pd.DataFrame([summary(users.iloc[chosen]) for chosen in numbers])
    places = (COVERAGES * len(users)).round().astype(int) - 1
    return {
        "users": len(users),
        "summary": {
            name: {"mean": value, "stderr": float(draws[name].std())}
            for name, value in summary(users).items()
        },
        "coverage": COVERAGES.tolist(),
        "risk": {name: risks.iloc[places].tolist() for name, risks in judged.curve.items()},
    }


def summary(users: pd.DataFrame) -> dict[str, float]:
    """Spearman's correlations, and the areas under the risk-coverage curves."""
    quality = users[METRIC].to_numpy()
    orders = {"entropy": users["entropy"], "length": -users["length"], "best": -users[METRIC]}
    areas = {
        f"area by {name}": float(rv.latent.risk_coverage(order.to_numpy(), quality)["risk"].mean())
        for name, order in orders.items()
    }
    gain = areas["area by length"] - areas["area by entropy"]
    correlations = {
        f"{one}, {other}": float(spearmanr(users[one], users[other]).statistic)
        for one, other in PAIRS
    }
    return correlations | areas | {"gain of entropy over length": gain}


def draw(found: dict[str, Any]) -> Figure:
    """Risk by coverage, a line for each order of serving."""
    figure = Figure(figsize=(6, 3.6), layout="constrained")
    axes = figure.subplots()
    for name, risks in found["risk"].items():
        axes.plot(found["coverage"], risks, label=name)
    axes.set_xlabel("share of the users that are served")
    axes.set_ylabel("1 - NDCG@100")
    axes.legend(title="served first, by")
    return figure
