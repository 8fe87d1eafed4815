from .anomaly import anomaly_scores
from .complete import complete
from .corrupt import add_noise, drop
from .denoise import denoise, impute, surprisal
from .explain import agreement, explain, gradient, leave_one_out
from .feature_names import name_features
from .features import LatentFeatures
from .fidelity import Fidelity, fidelity, nearest_distance
from .generate import generate
from .interpolate import interpolate
from .map import TasteMap, item_codes
from .neighbor_histories import neighbor_histories
from .purity import genre_purity
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
