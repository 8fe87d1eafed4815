"""Interpolate: how lists change on the way between two test users, and what these find in them.

The other way to blend two tastes is to mix the scores of both, which needs no latent space. If a
decoder has one layer, as that of the tuned Mult-VAE has, both come to the same: so this is about a
Mult-VAE of two.
"""

from typing import Any

import numpy as np
import pandas as pd
import scipy.sparse as sp
import torch
from matplotlib.figure import Figure

import recvae as rv
from benchmarks.quality.latent.lab import fitted, mean, split
from recvae.evaluation.metrics import RankedLists, ndcg
from recvae.models import Recommender
from recvae.ranking.top_k import top_k

PAIRS, SHORT, LONG = 500, 20, 100
SHARES = tuple(np.linspace(0, 1, 11).tolist())


def measure() -> dict[str, Any]:
    """Both ways of blending, for pairs of users."""
    model, test = fitted("mult-vae-deep"), split().test
    ways = {"codes": by_codes, "scores": by_scores}
    return {
        "pairs": PAIRS,
        "shares": SHARES,
        "ways": {name: judge(pairs(model, test, way)) for name, way in ways.items()},
    }


def by_codes(model: Recommender, one: sp.csr_matrix, other: sp.csr_matrix) -> np.ndarray:
    """Lists on the line between two codes: int64 [shares, LONG]."""
    return rv.latent.interpolate(model, one, other, LONG, SHARES)[0]


def by_scores(model: Recommender, one: sp.csr_matrix, other: sp.csr_matrix) -> np.ndarray:
    """Lists by the scores of both, mixed."""
    both = sp.vstack([one, other], format="csr")
    scores, shares = model.score(both), torch.tensor(SHARES)
    seen = both.max(axis=0).tocsr()[np.zeros(len(SHARES), dtype=np.int64)]
    weights = torch.stack([1 - shares, shares], dim=1)
    rows = np.arange(len(SHARES))
    return top_k(lambda _, rows: weights[rows] @ scores, seen, LONG, rows=rows)[0]


def pairs(model: Recommender, test: rv.Holdout, way: Any) -> pd.DataFrame:
    """A line for each pair of users."""
    users = [(user, user + PAIRS) for user in range(test.fold_in.shape[0] - PAIRS)]
    lines = []
    for one, other in users:
        lists = way(model, test.fold_in[one], test.fold_in[other])
        found = (
            ndcg(RankedLists(lists, test.held_out[[at] * len(lists)]), LONG) for at in (one, other)
        )
        lines.append({**steps(lists[:, :SHORT]), "first": next(found), "second": next(found)})
    return pd.DataFrame(lines)


def steps(lists: np.ndarray) -> dict[str, float]:
    """How much of a list the next one keeps, at the least too, and what is in neither end's."""
    kept = [np.isin(one, other).mean() for one, other in zip(lists[1:], lists[:-1], strict=True)]
    new = ~np.isin(lists[len(lists) // 2], lists[[0, -1]])
    return {"kept": np.mean(kept), "least kept": np.min(kept), "new in the middle": new.mean()}


def judge(table: pd.DataFrame) -> dict[str, Any]:
    """Means over the pairs; the NDCG of either user at each share, and of both in the middle."""
    ends = {name: np.stack(table[name].tolist()) for name in ("first", "second")}
    middle = (ends["first"] + ends["second"])[:, len(SHARES) // 2] / 2
    smoothness = {name: mean(table[name]) for name in table.columns.drop(list(ends))}
    ndcgs = {name: values.mean(axis=0).tolist() for name, values in ends.items()}
    return smoothness | {"ndcg of both in the middle": mean(middle), "ndcg": ndcgs}


def draw(found: dict[str, Any]) -> Figure:
    """What both users find in the lists along the way."""
    figure = Figure(figsize=(6, 3.4), layout="constrained")
    axes = figure.subplots()
    for number, (name, way) in enumerate(found["ways"].items()):
        for user, line in zip(("first", "second"), ("-", "--"), strict=True):
            label = f"{user} user, mixing {name}"
            axes.plot(found["shares"], way["ndcg"][user], line, color=f"C{number}", label=label)
    axes.set_xlabel("share of the second user's taste")
    axes.set_ylabel("NDCG@100 of what was held out")
    axes.legend()
    return figure
