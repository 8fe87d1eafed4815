"""recvae: recommendations with variational autoencoders, and honest comparisons.

    import recvae as rv

    data = rv.load_dataset("sample", min_rating=4, min_user_items=5)
    split = rv.split_users(data, n_validation=300, n_test=300)
    model = rv.MultVAE().fit(split.train, validation=split.validation)
    print(rv.evaluate(model, split.test))
"""

__version__ = "0.1.0"

from recvae.datasets import load_dataset, load_tables
from recvae.evaluation import compare, evaluate, tune
from recvae.interactions import Interactions
from recvae.models import (
    EASE,
    ImplicitALS,
    ImplicitBPR,
    ImplicitLMF,
    ItemKNN,
    MultDAE,
    MultVAE,
    Popularity,
    build_model,
    load_model,
)
from recvae.reading import read_interactions
from recvae.splits import (
    Holdout,
    Split,
    split_interactions,
    split_last,
    split_time,
    split_users,
)

__all__ = [
    "EASE",
    "Holdout",
    "ImplicitALS",
    "ImplicitBPR",
    "ImplicitLMF",
    "Interactions",
    "ItemKNN",
    "MultDAE",
    "MultVAE",
    "Popularity",
    "Split",
    "build_model",
    "compare",
    "evaluate",
    "load_dataset",
    "load_model",
    "load_tables",
    "read_interactions",
    "split_interactions",
    "split_last",
    "split_time",
    "split_users",
    "tune",
]
