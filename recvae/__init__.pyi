__version__: str

from . import errors, latent
from .datasets import load_dataset, load_tables, read_netflix
from .evaluation import compare, evaluate, tune
from .exporting import export_onnx
from .interactions import Interactions
from .models import (
    EASE,
    EDLAE,
    ELSA,
    Ensemble,
    ImplicitALS,
    ImplicitBPR,
    ImplicitLMF,
    ItemKNN,
    MultDAE,
    MultVAE,
    Popularity,
    RecVAE,
    ResidualVAE,
    VampVAE,
    build_model,
    load_model,
)
from .reading import read_interactions
from .splits import (
    Holdout,
    Split,
    split_folds,
    split_interactions,
    split_last,
    split_time,
    split_users,
)

__all__ = [
    "EASE",
    "EDLAE",
    "ELSA",
    "Ensemble",
    "Holdout",
    "ImplicitALS",
    "ImplicitBPR",
    "ImplicitLMF",
    "Interactions",
    "ItemKNN",
    "MultDAE",
    "MultVAE",
    "Popularity",
    "RecVAE",
    "ResidualVAE",
    "Split",
    "VampVAE",
    "build_model",
    "compare",
    "errors",
    "evaluate",
    "export_onnx",
    "latent",
    "load_dataset",
    "load_model",
    "load_tables",
    "read_interactions",
    "read_netflix",
    "split_folds",
    "split_interactions",
    "split_last",
    "split_time",
    "split_users",
    "tune",
]
