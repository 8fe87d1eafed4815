from .anomaly import anomaly_scores
from .complete import complete
from .explain import agreement, explain, gradient, leave_one_out
from .feature_names import name_features
from .features import LatentFeatures
from .fidelity import Fidelity, fidelity, nearest_distance
from .generate import generate
from .interpolate import interpolate
from .items import genre_purity, item_codes, neighbor_histories
from .map import TasteMap
from .noise import add_noise, denoise, drop, impute, surprisal
from .quantize import Quantized, quantize
from .shilling import inject_shilling
from .sparse_codes import SparseCodes
from .uncertainty import Uncertainty, entropy, judge_uncertainty, risk_coverage

__all__ = [
    "Fidelity",
    "LatentFeatures",
    "Quantized",
    "SparseCodes",
    "TasteMap",
    "Uncertainty",
    "add_noise",
    "agreement",
    "anomaly_scores",
    "complete",
    "denoise",
    "drop",
    "entropy",
    "explain",
    "fidelity",
    "generate",
    "genre_purity",
    "gradient",
    "impute",
    "inject_shilling",
    "interpolate",
    "item_codes",
    "judge_uncertainty",
    "leave_one_out",
    "name_features",
    "nearest_distance",
    "neighbor_histories",
    "quantize",
    "risk_coverage",
    "surprisal",
]
