"""Building: a model from its name and options."""

from collections.abc import Mapping
from typing import Any

from recvae.errors import require_known
from recvae.models.contract.recommender import Recommender
from recvae.models.registry import MODELS
from recvae.options import ranges


def build_model(name: str, options: Mapping[str, Any] | None = None) -> Recommender:
    """Make a recommender by name, with options that may be text.

    Raises:
        OptionError: no such model, no such option, or a value out of its range.
    """
    require_known(name, MODELS, "there is no model")
    return ranges.build(MODELS[name], options or {})
