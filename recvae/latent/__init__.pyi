from .anomaly import oddity
from .explain import agreement, explain, gradient, leave_one_out
from .features import LatentFeatures
from .fidelity import Fidelity, fidelity, nearest_distance
from .generate import generate
from .interpolate import interpolate
from .shilling import inject_shilling
from .uncertainty import Uncertainty, entropy, judge_uncertainty, risk_coverage

__all__ = [
    "Fidelity",
    "LatentFeatures",
    "Uncertainty",
    "agreement",
    "entropy",
    "explain",
    "fidelity",
    "generate",
    "gradient",
    "inject_shilling",
    "interpolate",
    "judge_uncertainty",
    "leave_one_out",
    "nearest_distance",
    "oddity",
    "risk_coverage",
]
