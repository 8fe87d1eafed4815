"""Whether a change of the code has changed a number: run it before and after, and compare.

    python -m benchmarks.quality.same_weights                 # all models: two minutes
    python -m benchmarks.quality.same_weights ease mult-vae

Each model is fitted on the sample from fixed seeds, on one thread. Printed are digests of what it
has learnt, of the lists of the test users and of their scores, and the NDCG@100. Names of tensors,
of options and of files may change; the lines may not.
"""

import hashlib
import warnings
from collections.abc import Iterable
from typing import Any

import numpy as np
import torch

import recvae as rv
from benchmarks.common import options
from recvae.latent import SparseCodes
from recvae.models import MODELS, Recommender

QUICK = {"epochs": 3, "n_threads": 1}
VARIANTS: dict[str, dict[str, Any]] = {
    "item-knn bm25": {"similarity": "bm25", "input": "counts"},
    "item-knn cosine": {"similarity": "cosine"},
    "elsa dropout": {"dropout": 0.3},
    "ensemble-of": {"members": "ease,als"},
    "bpr": {"iterations": 5},
    "lmf": {"iterations": 5},
    "als counts": {"input": "counts"},
    "mult-vae best": {"beta": "best"},
    "mult-vae bernoulli": {"likelihood": "bernoulli"},
    "mult-vae gaussian counts": {
        "likelihood": "gaussian",
        "input": "counts",
        "learning_rate": 1e-4,
    },
    "mult-vae cyclical": {"schedule": "cyclical", "hidden": ()},
    "mult-vae sampled": {"softmax": "sampled", "hidden": ()},
    "mult-vae bf16": {"precision": "bfloat16"},
    "vamp-vae plain": {"hierarchical": False, "gated": False},
}
"""Options other than the defaults; the first word is the model."""
NAMES = sorted({*MODELS, *VARIANTS, "sparse codes"})
N_USERS, K = 300, 50


def main() -> None:
    """Print a line for each model named, or for all."""
    parser = options(__doc__)
    parser.add_argument("models", nargs="*", metavar="MODEL", help=", ".join(NAMES))
    names = parser.parse_args().models or NAMES
    if unknown := set(names) - set(NAMES):
        parser.error(f"no model {', '.join(unknown)}: there are {', '.join(NAMES)}")
    warnings.simplefilter("ignore")
    torch.set_num_threads(1)
    for name in names:
        line = codes_line() if name == "sparse codes" else model_line(build(name))
        print(f"{name:26} {line}", flush=True)


def build(name: str) -> Recommender:
    """A model of few epochs."""
    model = name.split(" ")[0]
    known = MODELS[model].__dataclass_fields__
    quick = {key: value for key, value in QUICK.items() if key in known}
    return rv.build_model(model, quick | VARIANTS.get(name, {}))


def model_line(model: Recommender) -> str:
    """Fit a model; digests of its tensors, of lists and scores, and the NDCG."""
    split = by_users() if model.supports_new_users else rv.split_interactions(likes())
    model.fit(split.train, validation=split.validation)
    ids, scores = model.recommend(split.test.fold_in, K, rows=split.test.rows)
    ndcg = rv.evaluate(model, split.test).mean["ndcg@100"]
    weights = digest(model.state().values())
    return f"weights {weights} lists {digest([ids])} scores {digest([scores])} ndcg {ndcg:.12f}"


def codes_line() -> str:
    """Fit sparse codes of a Mult-VAE; a digest of their tensors."""
    split = by_users()
    model = build("mult-vae").fit(split.train, validation=split.validation)
    codes = SparseCodes(epochs=3).fit(model, split.train.matrix, split.validation)
    return f"weights {digest(codes.net_.state_dict().values())}"


def by_users() -> rv.Split:
    """Unknown users to test on."""
    return rv.split_users(likes(), n_validation=N_USERS, n_test=N_USERS)


def likes() -> rv.Interactions:
    """The sample, filtered as ever."""
    return rv.load_dataset("sample", min_rating=4, min_user_items=5)


def digest(arrays: Iterable[np.ndarray | torch.Tensor]) -> str:
    """A checksum of arrays in any order: their numbers, shapes and types."""
    parts = sorted(_checksum(np.asarray(array)) for array in arrays)
    return hashlib.sha256("".join(parts).encode()).hexdigest()[:16]


def _checksum(array: np.ndarray) -> str:
    """A checksum of one."""
    content = np.ascontiguousarray(array).tobytes()
    return hashlib.sha256(content + f"{array.shape}{array.dtype}".encode()).hexdigest()


if __name__ == "__main__":
    main()
