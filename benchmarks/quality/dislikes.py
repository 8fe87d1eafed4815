"""What dislikes are worth in the input, with a small weight.

    python -m benchmarks.quality.dislikes                      # two sets, five models: ten minutes

Models that learnt from likes alone read a validation user's dislikes beside the likes. NDCG@100 of
either protocol, and the paired difference that each weight of a dislike makes, ± its standard
error.
"""

import numpy as np
import scipy.sparse as sp

import recvae as rv
from benchmarks.common import Ranked, options
from recvae.models import Recommender

DATA = ("ml-1m", "ml-latest-small")
MODELS = ("edlae", "elsa", "als", "mult-vae", "residual-vae")
WEIGHTS = (0.1, 0.2, 0.3)
METRIC = "ndcg@100"


def reading(model: Recommender, disliked: sp.csr_matrix, weight: float) -> Ranked:
    """A model that reads what users dislike, with a weight, beside what they like, with 1."""

    def lists(
        histories: sp.csr_matrix, k: int, deny: sp.csr_matrix | None
    ) -> tuple[np.ndarray, np.ndarray]:
        """What is neither in the histories nor denied."""
        likes = (histories > 0).astype(np.float32)
        seen = likes if deny is None else likes + deny
        read = (likes + weight * disliked).tocsr()
        return model.recommend(read, k, exclude_seen=False, deny=seen)

    return Ranked(lists)


def measure(data: str, name: str) -> None:
    """Print a line for each protocol and weight."""
    split = rv.split_users(rv.load_dataset(data, min_rating=4, min_user_items=5))
    model = rv.build_model(name).fit(split.train, split.validation)
    model.as_read = lambda histories: histories  # type: ignore[method-assign]
    for part in (split.validation, split.without_disliked().validation):
        assert part.disliked is not None
        before = rv.evaluate(model, part, METRIC).per_user[METRIC].to_numpy()
        protocol = "without dislikes" if part.without_disliked else "as in papers"
        print(f"{data} {name}, {protocol}: {before.mean():.4f}", flush=True)
        for weight in WEIGHTS:
            ranked = reading(model, part.disliked, weight)
            change = rv.evaluate(ranked, part, METRIC).per_user[METRIC].to_numpy() - before
            error = change.std(ddof=1) / len(change) ** 0.5
            print(f"  {weight}: {change.mean():+.4f} ± {error:.4f}", flush=True)


def main() -> None:
    """Measure the models and data sets that are asked for, or all."""
    parser = options(__doc__)
    parser.add_argument("names", nargs="*", help="data sets and models; none means all")
    names = parser.parse_args().names
    for data in [one for one in DATA if one in names] or DATA:
        for name in [one for one in MODELS if one in names] or MODELS:
            measure(data, name)


if __name__ == "__main__":
    main()
