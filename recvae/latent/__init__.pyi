from .anomaly import oddity
from .companions import companions
from .corrupt import drop, pollute
from .denoise import denoise, impute, surprise
from .explain import agreement, explain, gradient, leave_one_out
from .features import LatentFeatures
from .fidelity import Fidelity, fidelity, nearest_distance
from .generate import generate
from .interpolate import interpolate
from .map import TasteMap, item_codes
from .purity import genre_purity
from .quantize import Quantized, quantize
from .shilling import inject_shilling
from .sparse_codes import SparseCodes
from .uncertainty import Uncertainty, entropy, judge_uncertainty, risk_coverage
from .units import name_units

__all__ = [
    "Fidelity",
    "LatentFeatures",
    "Quantized",
    "SparseCodes",
    "TasteMap",
    "Uncertainty",
    "agreement",
    "companions",
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
    "name_units",
    "nearest_distance",
    "oddity",
    "pollute",
    "quantize",
    "risk_coverage",
    "surprise",
]
