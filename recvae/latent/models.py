"""The check of tools that need an autoencoder, since they go through its net."""

from recvae.errors import OptionError
from recvae.models.contract.recommender import Recommender
from recvae.models.families.autoencoder import AutoencoderRecommender


def autoencoder(model: Recommender) -> AutoencoderRecommender:
    """Give back a model of one net from the history to the scores; OptionError for any other."""
    if isinstance(model, AutoencoderRecommender):
        return model
    raise OptionError(
        f"{type(model).__name__} is no autoencoder: use one, such as MultVAE, or one of the "
        "members_ of an ensemble."
    )
