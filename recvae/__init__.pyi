__version__: str

from . import errors, latent
from .cluster.recommend import recommend_shards
from .cluster.shard import shard_table
from .data.datasets.loading import load_dataset, load_tables
from .data.interactions import Interactions
from .data.reading import read_interactions, read_items
from .data.shards import Shards, read_shards
from .data.splits import (
    Holdout,
    ShardSplit,
    Split,
    read_split,
    split_folds,
    split_interactions,
    split_items,
    split_last,
    split_repeats,
    split_shards,
    split_time,
    split_users,
)
from .evaluation.evaluate import evaluate
from .experiments.compare import compare
from .experiments.report.page import write_report
from .experiments.tuning import tune
from .exporting import export_onnx, export_vectors, query_vectors
from .models import (
    EASE,
    EDLAE,
    ELSA,
    Ensemble,
    GraphAE,
    ImplicitALS,
    ImplicitBPR,
    ImplicitLMF,
    ItemKNN,
    MultDAE,
    MultVAE,
    Popularity,
    RecVAE,
    ResidualEnsemble,
    ResidualVAE,
    SparseEDLAE,
    Transitions,
    VampVAE,
    build_model,
    load_model,
)

__all__ = [
    "EASE",
    "EDLAE",
    "ELSA",
    "Ensemble",
    "GraphAE",
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
    "ResidualEnsemble",
    "ResidualVAE",
    "ShardSplit",
    "Shards",
    "SparseEDLAE",
    "Split",
    "Transitions",
    "VampVAE",
    "build_model",
    "compare",
    "errors",
    "evaluate",
    "export_onnx",
    "export_vectors",
    "latent",
    "load_dataset",
    "load_model",
    "load_tables",
    "query_vectors",
    "read_interactions",
    "read_items",
    "read_shards",
    "read_split",
    "recommend_shards",
    "shard_table",
    "split_folds",
    "split_interactions",
    "split_items",
    "split_last",
    "split_repeats",
    "split_shards",
    "split_time",
    "split_users",
    "tune",
    "write_report",
]
