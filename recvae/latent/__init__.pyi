from .anomaly import oddity
from .companions import companions
from .explain import agreement, explain, gradient, leave_one_out
from .features import LatentFeatures
from .fidelity import Fidelity, fidelity, nearest_distance
from .generate import generate
from .interpolate import interpolate
from .map import TasteMap, item_codes
from .purity import genre_purity
from .shilling import inject_shilling
from .uncertainty import Uncertainty, entropy, judge_uncertainty, risk_coverage

__all__ = [
    "Fidelity",
    "LatentFeatures",
    "TasteMap",
    "Uncertainty",
    "agreement",
    "companions",
    "entropy",
    "explain",
    "fidelity",
    "generate",
    "genre_purity",
    "gradient",
    "inject_shilling",
    "interpolate",
    "item_codes",
    "judge_uncertainty",
    "leave_one_out",
    "nearest_distance",
    "oddity",
    "risk_coverage",
]
