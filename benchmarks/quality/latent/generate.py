"""Generate: what can be learnt from synthetic users, and whether they give anyone away.

EASE is trained on synthetic users, or on the real ones that the generator saw, its regularization
chosen for each on the validation users, and ranks for the test users, who are real.
"""

from functools import cache, partial
from typing import Any

import numpy as np
import scipy.sparse as sp
from matplotlib.figure import Figure
from sklearn.metrics import roc_auc_score

import recvae as rv
from benchmarks.quality.latent.lab import METRIC, fitted, mean, once, points, quality, split
from recvae.latent import nearest_distance

CASES = {"mixture": (1, 2, 5), "posterior": (1, 5), "prior": (1,)}
"""How many synthetic users there are of each source, as a multiple of the real ones."""
REGULARIZATIONS = (500.0, 1200.0, 3000.0)
QUANTILES = (0.05, 0.5)
BINS = np.linspace(0.3, 1, 71)


def measure() -> dict[str, Any]:
    """Synthetic users of each source and number, and the real ones that are held out."""
    held_out = nearest_distance(unseen(), split().train.matrix)
    return {
        "real": {"ndcg": mean(real_values()), **quantiles(held_out)},
        "synthetic": {
            f"{source}, {times} x": once(
                f"generate/{source}-{times}", partial(judge, source, times)
            )
            for source, many in CASES.items()
            for times in many
        },
        "histogram": histogram(held_out),
    }


def judge(source: Any, times: int) -> dict[str, Any]:
    """All that is measured of synthetic users."""
    train = split().train
    n_users = times * train.shape[0]
    drawn = rv.latent.generate(fitted("mult-vae"), train.matrix, n_users, source)
    values, regularization = ease(drawn)
    fidelity = rv.latent.fidelity(drawn, train, split().test, judge=rv.Popularity(), metric=METRIC)
    return {
        "ndcg": mean(values),
        "regularization": regularization,
        "share of real": share(values, real_values()),
        "popularity": fidelity.popularity,
        "length": fidelity.length,
        "copies": fidelity.copies,
        "nearest": quantiles(fidelity.nearest),
        "members": membership(drawn),
        "histogram": histogram(fidelity.nearest),
    }


@cache
def real_values() -> np.ndarray:
    """The test users' NDCG of EASE trained on real users."""
    return np.array(once("generate/real", lambda: ease(split().train.matrix)[0].tolist()))


def ease(users: sp.csr_matrix) -> tuple[np.ndarray, float]:
    """The test users' NDCG of EASE trained on some users, and its regularization."""
    models = [rv.EASE(regularization=value).fit(users) for value in REGULARIZATIONS]
    best = max(models, key=lambda model: quality(model, split().validation).mean())
    return quality(best), best.regularization


def share(values: np.ndarray, of: np.ndarray) -> dict[str, float]:
    """The ratio of two means over the same users, its standard error by the delta method."""
    ratio = float(values.mean() / of.mean())
    stderr = (values - ratio * of).std(ddof=1) / of.mean() / len(of) ** 0.5
    return {"mean": ratio, "stderr": float(stderr)}


def unseen() -> sp.csr_matrix:
    """Whole histories of real users that the generator has not seen."""
    parts = split()
    users = [part.fold_in + part.held_out for part in (parts.validation, parts.test)]
    return sp.vstack(users, format="csr")


def membership(drawn: sp.csr_matrix) -> float:
    """How well the distance to the nearest synthetic user tells training users from others: AUC.

    0.5 is chance.
    """
    known = split().train.matrix
    distances = [nearest_distance(users, drawn) for users in (known, unseen())]
    was_seen = np.repeat([1, 0], [len(part) for part in distances])
    return float(roc_auc_score(was_seen, -np.concatenate(distances)))


def quantiles(distances: np.ndarray) -> dict[str, float]:
    """How near the nearest are, and the middle."""
    return {f"{at:.0%}": float(np.quantile(distances, at)) for at in QUANTILES}


def histogram(distances: np.ndarray) -> list[float]:
    """The density of the distances by bin."""
    return np.histogram(distances, BINS, density=True)[0].tolist()


def draw(found: dict[str, Any]) -> Figure:
    """Usefulness by case, and the distances to the nearest training user."""
    figure = Figure(figsize=(9, 3.4), layout="constrained")
    left, right = figure.subplots(1, 2)
    shares = {name: case["share of real"] for name, case in found["synthetic"].items()}
    values, bars = points(shares.values())
    left.barh(list(shares), values, xerr=bars)
    left.axvline(0.9, color="0.5", linestyle="--")
    left.invert_yaxis()
    left.set_xlabel("NDCG@100 of EASE, as a share of that of real users")
    near = {"held-out real users": found["histogram"]}
    near |= {name: case["histogram"] for name, case in found["synthetic"].items() if "1 x" in name}
    for name, density in near.items():
        right.stairs(density, BINS, label=name)
    right.set_xlabel("Jaccard distance to the nearest training user")
    right.legend()
    return figure
