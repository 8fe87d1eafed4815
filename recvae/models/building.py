"""Building: a model from its name and options."""

from collections.abc import Mapping
from typing import Any

from recvae.errors import OptionError, did_you_mean
from recvae.models.contract.recommender import Recommender
from recvae.models.registry import MODELS
from recvae.options import ranges


def build_model(name: str, options: Mapping[str, Any] | None = None) -> Recommender:
    """Make a recommender by name, with options that may be text.

    Raises:
        OptionError: no such model, no such option, or a value out of its range.
    """
    if name not in MODELS:
        raise OptionError(f"there is no model {name!r}: {did_you_mean(name, MODELS)}")
    return ranges.build(MODELS[name], options or {})
