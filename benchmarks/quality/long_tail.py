"""The default model beside others on a generated catalogue with a long tail: 126,806 items.

    python -m benchmarks.quality.long_tail           # by the validation users
    python -m benchmarks.quality.long_tail --test    # by the test users, once

20,000 training users and 50 topics (`benchmarks/speed/generated.py`); six in ten items have fewer
than five users. EDLAE's matrix of all items would take 45 GB, so that it learns the popular ones
alone. Differences are paired, with 95% intervals over the users.
"""

import warnings
from time import perf_counter
from typing import Any

import numpy as np
import pandas as pd
import scipy.sparse as sp
import torch

import recvae as rv
from benchmarks.common import FIGURES, machine, options, write_json
from benchmarks.speed.generated import by_topics
from recvae.models import Recommender
from recvae.models.contract.fitting import FitContext

N_USERS, N_ITEMS, N_POPULAR = 23_000, 130_000, 15_000
MODELS = ("popularity", "als", "elsa", "ensemble")
METRICS = ("recall@20", "ndcg@100")


class PopularEDLAE(rv.EDLAE):
    """EDLAE of the items that most users have; it scores all others 0."""

    def learn(
        self, train: sp.csr_matrix, validation: rv.Holdout | None, context: FitContext
    ) -> None:
        """Solve for the popular items' weights."""
        self.popular = np.sort(np.argsort(-np.diff(train.tocsc().indptr))[:N_POPULAR])
        super().learn(train[:, self.popular], validation, context)

    def score(self, histories: sp.csr_matrix, rows: np.ndarray | None = None) -> torch.Tensor:
        """The scores of the popular items, 0 for the others."""
        scores = torch.zeros(histories.shape)
        scores[:, self.popular] = super().score(histories[:, self.popular], rows)
        return scores


def main() -> None:
    """Fit each model and judge it by the same users."""
    parser = options(__doc__)
    parser.add_argument("--test", action="store_true", help="judge by the test users, once")
    args = parser.parse_args()
    warnings.simplefilter("ignore")
    data = rv.Interactions.from_matrix(by_topics(N_USERS, N_ITEMS))
    split = rv.split_users(data, n_validation=1000, n_test=2000)
    print(split.train, flush=True)
    models = {name: rv.build_model(name) for name in MODELS}
    lines = measure({"edlae of the popular": PopularEDLAE(), **models}, split, args.test)
    print(pd.DataFrame(lines).to_string(index=False))
    part = "test" if args.test else "validation"
    write_json(FIGURES / "long_tail.json", {"users": part, "lines": lines, "machine": machine()})


def measure(models: dict[str, Recommender], split: rv.Split, test: bool) -> list[dict[str, Any]]:
    """A line for each model; the last one is what the others are held against."""
    holdout, values = split.test if test else split.validation, {}
    lines: list[dict[str, Any]] = []
    assert holdout is not None
    for name, model in models.items():
        begun = perf_counter()
        model.fit(split.train, split.validation)
        seconds = perf_counter() - begun
        values[name] = rv.evaluate(model, holdout, METRICS).per_user[list(METRICS)]
        means = {metric: round(values[name][metric].mean(), 4) for metric in METRICS}
        print(name, means, f"{seconds:.0f} s", flush=True)
        lines.append({"model": name, **means, "seconds": round(seconds)})
    *_, last = values
    for line in lines:
        gains = (values[last] - values[line["model"]])[METRICS[-1]]
        line["gain of the last"] = round(gains.mean(), 4)
        line["± (95%)"] = round(1.96 * gains.std() / len(gains) ** 0.5, 4)
    return lines


if __name__ == "__main__":
    main()
