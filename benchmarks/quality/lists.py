"""What lists for people cost: accuracy against diversity as each step of reranking gets its weight.

    RECVAE_DATA=... python -m benchmarks.quality.lists           # two minutes
    RECVAE_DATA=... python -m benchmarks.quality.lists --draw    # what was measured before

An EDLAE with its defaults, fitted on the training users of MovieLens 1M, makes lists of 100 for the
validation users. A greedy determinantal point process (Chen et al. 2018, "Fast greedy MAP inference
for determinantal point process") is measured beside the steps of the package.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import scipy.sparse as sp
from matplotlib.figure import Figure

import recvae as rv
from benchmarks.common import FIGURES, IMAGES, options, save_picture, write_json
from recvae.data.item_info import item_labels
from recvae.display.themes import MARKERS
from recvae.ranking.rerank import Boost, Calibration, Cap, Diversity, Pool, Step

WEIGHTS = (0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1)
METRICS = (
    *("ndcg@10", "recall@20", "ndcg@100", "diversity@10", "diversity@100"),
    *("coverage@10", "gini@10", "novelty@10"),
)
K = 100
OUT = FIGURES / "lists.json"


@dataclass(frozen=True)
class DPP:
    """Candidates by how much volume they add to those of the list, by their genres."""

    weight: float

    def gains(self, pool: Pool) -> Iterator[np.ndarray]:
        """The logarithm of what each adds to the determinant of the similarities."""
        genres = pool.table.labels("genres").toarray()[pool.ids]
        users, n_genres = np.arange(len(genres)), genres.sum(axis=2)
        rest, parts = np.full(pool.ids.shape, 1.05), np.zeros((K, *pool.ids.shape))
        for place in range(K):
            yield self.weight * np.log(np.maximum(rest, 1e-6))
            last = users, pool.last
            common = np.einsum("ucg,ug->uc", genres, genres[last])
            alike = common / np.maximum(n_genres + n_genres[last][:, None] - common, 1)
            known = np.einsum("puc,pu->uc", parts[:place], parts[:place, *last])
            parts[place] = (alike - known) / np.sqrt(np.maximum(rest[last], 1e-6))[:, None]
            rest = rest - parts[place] ** 2


STEPS: dict[str, list[Step]] = {
    "diversity": [Diversity(weight) for weight in WEIGHTS],
    "DPP": [DPP(weight) for weight in WEIGHTS],
    "calibration": [Calibration(weight) for weight in WEIGHTS],
    "cap": [Cap(most) for most in (10, 8, 6, 5, 4, 3, 2)],
    "niche": [Boost(-weight) for weight in WEIGHTS],
}


@dataclass
class Reranked:
    """A model whose lists are reranked, as `evaluate` asks it."""

    model: rv.EDLAE
    step: Step

    def __getattr__(self, name: str) -> Any:
        return getattr(self.model, name)

    def recommend(
        self,
        histories: sp.csr_matrix,
        k: int = 10,
        *,
        rows: np.ndarray | None = None,
        deny: sp.csr_matrix | None = None,
    ) -> tuple[np.ndarray, np.ndarray]:
        """Lists of the step."""
        self.ids, scores = self.model.recommend(histories, k, deny=deny, rerank=[self.step])
        return self.ids, scores


def main() -> None:
    """Measure all steps, and draw."""
    parser = options(__doc__)
    parser.add_argument("--draw", action="store_true", help="draw what was measured before")
    if not parser.parse_args().draw:
        write_json(OUT, measure())
    save_picture(IMAGES / "lists.svg", draw, json.loads(OUT.read_text(encoding="utf-8")))


def measure() -> dict[str, list[dict[str, float]]]:
    """A line for each weight of each step."""
    data = rv.load_dataset("ml-1m", min_rating=4, min_user_items=5)
    split = rv.split_users(data)
    model = rv.EDLAE().fit(split.train)
    return {name: [judge(model, step, split) for step in steps] for name, steps in STEPS.items()}


def judge(model: rv.EDLAE, step: Step, split: rv.Split) -> dict[str, float]:
    """What the lists of the validation users are like."""
    lists = Reranked(model, step)
    found = rv.evaluate(lists, split.validation, METRICS).mean
    told = {"weight": getattr(step, "most", abs(step.weight))}
    told |= {str(name): value for name, value in found.items()}
    told["divergence@10"] = divergence(model, split.validation, lists.ids[:, :10])
    print(type(step).__name__, {name: round(value, 4) for name, value in told.items()}, flush=True)
    return told


def divergence(model: rv.EDLAE, holdout: rv.Holdout, ids: np.ndarray) -> float:
    """The mean of KL(genres of the history, genres of the list), smoothed as in Steck (2018)."""
    genres = item_labels(model.items_, "genres").toarray().astype(np.float64)
    genres /= genres.sum(axis=1, keepdims=True)
    kept = np.flatnonzero(np.diff(holdout.held_out.indptr))
    listed = np.where(ids[:, :, None] >= 0, genres[ids], 0).sum(axis=1)
    p, q = (
        part / part.sum(axis=1, keepdims=True) for part in (holdout.fold_in[kept] @ genres, listed)
    )
    q = 0.99 * q + 0.01 * p
    return float((p * np.log(np.where(p > 0, p / np.where(q > 0, q, 1), 1))).sum(axis=1).mean())


def draw(found: dict[str, list[dict[str, float]]]) -> Figure:
    """NDCG against intra-list diversity, of lists of 10 and of 100."""
    figure, panels = plt.subplots(1, 2, figsize=(9, 3.8), layout="constrained")
    for axes, k, left_out in zip(panels, (10, 100), ((), ("cap",)), strict=True):
        for number, (name, lines) in enumerate(found.items()):
            if name not in left_out:
                x, y = ([line[f"{kind}@{k}"] for line in lines] for kind in ("diversity", "ndcg"))
                axes.plot(x, y, color=f"C{number}", marker=MARKERS[number], label=name)
        axes.set(xlabel=f"diversity@{k}", ylabel=f"NDCG@{k}")
    panels[0].legend()
    return figure


if __name__ == "__main__":
    main()
