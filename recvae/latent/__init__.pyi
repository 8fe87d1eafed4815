from .explain import agreement, explain, gradient, leave_one_out
from .features import LatentFeatures
from .fidelity import Fidelity, fidelity, nearest_distance
from .generate import generate
from .interpolate import interpolate

__all__ = [
    "Fidelity",
    "LatentFeatures",
    "agreement",
    "explain",
    "fidelity",
    "generate",
    "gradient",
    "interpolate",
    "leave_one_out",
    "nearest_distance",
]
