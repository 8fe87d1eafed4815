"""Robustness: lists from histories with items left out or mixed in, and from rounded codes."""

from functools import cache
from typing import Any

import numpy as np
import scipy.sparse as sp
from matplotlib.figure import Figure
from sklearn.metrics import roc_auc_score

import recvae as rv
from benchmarks.common import Ranked
from benchmarks.quality.latent.lab import fitted, kept, mean, quality, split, whole
from recvae.data.matrices import rows_of
from recvae.models import Recommender
from recvae.ranking.top_k import top_k

MODELS = ("mult-vae", "mult-dae", "residual-vae", "ease", "als")
CLEANERS = ("mult-vae", "residual-vae")
CODERS = ("mult-vae", "mult-dae")
SHARES = (0.1, 0.2, 0.3, 0.4, 0.5)
KINDS = ("dropped", "random", "popular")
IMPUTED = 10


def showing(model: Recommender, histories: sp.csr_matrix) -> Ranked:
    """A model that is shown other histories than the users have: it leaves out what they have."""
    return Ranked(lambda own, k, _: model.recommend(histories, k, deny=own))


def decoded(model: Any, codes: np.ndarray) -> Ranked:
    """A model that is given codes instead of histories."""
    numbers = np.arange(len(codes))
    return Ranked(
        lambda own, k, _: top_k(lambda _, rows: model.decode(codes[rows]), own, k, rows=numbers)
    )


def measure() -> dict[str, Any]:
    """The NDCG that is kept, of all test users."""
    found = {
        kind: {name: [changed(name, kind, share) for share in SHARES] for name in MODELS}
        for kind in KINDS
    }
    return {
        "users": test().fold_in.shape[0],
        "shares": list(SHARES),
        "clean": {name: mean(whole(name)) for name in MODELS},
        **found,
        "denoised": {
            kind: {name: [cleaned(name, kind, share) for share in SHARES] for name in CLEANERS}
            for kind in ("clean", *KINDS[1:])
        },
        "found": {
            kind: {name: flagged(name, kind, 0.2) for name in (*CLEANERS, "popularity")}
            for kind in KINDS[1:]
        },
        "imputed": {name: imputed(name) for name in MODELS},
        "compressed": {name: compressed(name) for name in CODERS},
    }


def test() -> rv.Holdout:
    """The test users."""
    return split().test


@cache
def popularity() -> np.ndarray:
    """How many training users have each item."""
    return split().train.matrix.getnnz(axis=0)


@cache
def histories(kind: str, share: float) -> sp.csr_matrix:
    """What is shown of the test users."""
    own, others = test().fold_in, test().held_out
    if kind == "clean":
        return own
    if kind == "dropped":
        return rv.latent.drop(own, share)
    weights = popularity() if kind == "popular" else None
    return rv.latent.add_noise(own, share, popularity=weights, deny=others)


def changed(name: str, kind: str, share: float) -> dict[str, float]:
    """What a model keeps that is shown changed histories."""
    return kept(name, quality(showing(fitted(name), histories(kind, share))))


def cleaned(name: str, kind: str, share: float) -> dict[str, float]:
    """The same if it is shown only what it finds likely of them."""
    model = fitted(name)
    clean = rv.latent.denoise(model, histories(kind, share), share)
    return kept(name, quality(showing(model, clean)))


def flagged(name: str, kind: str, share: float) -> dict[str, float]:
    """ROC-AUC of what is foreign in a user's history by its surprisal, the mean over users."""
    shown = histories(kind, share)
    if name == "popularity":
        nats = sp.csr_matrix((1 / popularity()[shown.indices], shown.indices, shown.indptr))
    else:
        nats = rv.latent.surprisal(fitted(name), shown)
    foreign = np.asarray(test().fold_in[rows_of(shown), shown.indices]).ravel() == 0
    pairs = zip(*(np.split(part, shown.indptr[1:-1]) for part in (nats.data, foreign)), strict=True)
    return mean(np.array([auc(scores, marks) for scores, marks in pairs]))


def auc(scores: np.ndarray, marks: np.ndarray) -> float:
    """How often what is marked scores above what is not; NaN if there is not one of both."""
    return float(roc_auc_score(marks, scores)) if 0 < marks.sum() < len(marks) else float("nan")


def imputed(name: str) -> dict[str, float]:
    """The share of imputed items that are the user's, half of whose history was dropped."""
    shown, all_liked = histories("dropped", 0.5), test().fold_in + test().held_out
    added = rv.latent.impute(fitted(name), shown, IMPUTED)
    right = added.multiply(all_liked > 0).getnnz(axis=1) - shown.getnnz(axis=1)
    return mean(right / (added.getnnz(axis=1) - shown.getnnz(axis=1)))


def compressed(name: str) -> dict[str, Any]:
    """Bytes of a user's code, and the metric by it."""
    model: Any = fitted(name)
    codes, _ = model.encode(test().fold_in)
    half, quantized = codes.astype(np.float16), rv.latent.quantize(codes)
    forms = {
        "float32": (codes, codes.nbytes),
        "float16": (half.astype(np.float32), half.nbytes),
        "int8": (quantized.restore(), quantized.n_bytes),
    }
    return {
        form: {"bytes": size / len(codes), "kept": kept(name, quality(decoded(model, restored)))}
        for form, (restored, size) in forms.items()
    }


def draw(found: dict[str, Any]) -> Figure:
    """What each model keeps, by share: dropped, random items, popular items."""
    figure = Figure(figsize=(9, 3.4), layout="constrained")
    panels = figure.subplots(1, len(KINDS), sharey=True)
    titles = ("left out", "of random items", "of popular items")
    for axes, kind, title in zip(panels, KINDS, titles, strict=True):
        for name in MODELS:
            values = [1.0, *(point["mean"] for point in found[kind][name])]
            axes.plot([0.0, *SHARES], values, label=name, marker="o", markersize=3)
        axes.set_xlabel(f"share {title}")
    panels[0].set_ylabel("NDCG@100 kept")
    panels[0].legend()
    return figure
