"""The recommenders, by class and by name."""

from collections.abc import Mapping
from os import PathLike
from typing import Any

from recvae import options as _options
from recvae.errors import OptionError, did_you_mean
from recvae.models.contract.lists import EmptyHistoryWarning, MissingWeightsWarning
from recvae.models.contract.recommender import Recommender
from recvae.models.ease import EASE
from recvae.models.edlae import EDLAE
from recvae.models.elsa import ELSA
from recvae.models.ensemble import Ensemble
from recvae.models.implicit_als import ImplicitALS
from recvae.models.implicit_bpr import ImplicitBPR
from recvae.models.implicit_lmf import ImplicitLMF
from recvae.models.item_knn import ItemKNN
from recvae.models.mult_dae import MultDAE
from recvae.models.mult_vae import MultVAE
from recvae.models.popularity import Popularity
from recvae.models.rec_vae import RecVAE
from recvae.models.residual_vae import ResidualVAE
from recvae.models.vamp_vae import VampVAE
from recvae.saved import storage

MODELS: dict[str, type[Recommender]] = {
    model.name: model
    for model in (
        Ensemble,
        ResidualVAE,
        MultVAE,
        MultDAE,
        RecVAE,
        VampVAE,
        EASE,
        EDLAE,
        ELSA,
        ImplicitALS,
        ImplicitBPR,
        ImplicitLMF,
        ItemKNN,
        Popularity,
    )
}
"""Every recommender, by the name that the command line calls it."""


def build_model(name: str, options: Mapping[str, Any] | None = None) -> Recommender:
    """Make a recommender by name, with options that may be text.

    Raises:
        OptionError: no such model, no such option, or a value out of its range.
    """
    if name not in MODELS:
        raise OptionError(f"there is no model {name!r}: {did_you_mean(name, MODELS)}")
    return _options.build(MODELS[name], options or {})


def load_model(folder: str | PathLike[str], device: str = "auto") -> Recommender:
    """Read a model that `save` wrote.

    Args:
        folder: where it was saved.
        device: where an autoencoder should live from now on.

    Raises:
        MissingFileError: there is no model in the folder.
        ModelFileError: a file is damaged, missing or of another version.
        OptionError: the device is not on this machine.
    """
    return storage.load_folder(folder, MODELS, device)


__all__ = [
    "EASE",
    "EDLAE",
    "ELSA",
    "MODELS",
    "EmptyHistoryWarning",
    "Ensemble",
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
    "ResidualVAE",
    "VampVAE",
    "build_model",
    "load_model",
]
