from .building import build_model, load_model
from .contract.abilities import Ability
from .contract.inputs import MissingWeightsWarning
from .contract.recommender import Recommender
from .contract.scorer import EmptyHistoryWarning
from .ease import EASE
from .edlae import EDLAE
from .elsa import ELSA
from .ensemble import Ensemble
from .graph_ae import GraphAE
from .implicit_als import ImplicitALS
from .implicit_bpr import ImplicitBPR
from .implicit_lmf import ImplicitLMF
from .item_knn import ItemKNN
from .mult_dae import MultDAE
from .mult_vae import MultVAE
from .popularity import Popularity
from .rec_vae import RecVAE
from .registry import MODELS
from .residual_ensemble import ResidualEnsemble
from .residual_vae import ResidualVAE
from .sparse_edlae import SparseEDLAE
from .transitions import Transitions
from .vamp_vae import VampVAE

__all__ = [
    "EASE",
    "EDLAE",
    "ELSA",
    "MODELS",
    "Ability",
    "EmptyHistoryWarning",
    "Ensemble",
    "GraphAE",
    "ImplicitALS",
    "ImplicitBPR",
    "ImplicitLMF",
    "ItemKNN",
    "MissingWeightsWarning",
    "MultDAE",
    "MultVAE",
    "Popularity",
    "RecVAE",
    "Recommender",
    "ResidualEnsemble",
    "ResidualVAE",
    "SparseEDLAE",
    "Transitions",
    "VampVAE",
    "build_model",
    "load_model",
]
