"""Which models a tool of the latent space can use; others are refused with a reason."""

from typing import TypeAlias

from recvae.errors import OptionError
from recvae.models import Ensemble, Recommender, RecVAE, ResidualVAE
from recvae.models.families.autoencoder import AutoencoderRecommender
from recvae.models.families.mult import MultAutoencoder

Coder: TypeAlias = AutoencoderRecommender | Ensemble
"""A model with `encode` and `decode`."""


def autoencoder(model: Recommender) -> AutoencoderRecommender:
    """Give back the model if it is an autoencoder: one net from the history to the scores."""
    if isinstance(model, AutoencoderRecommender):
        return model
    raise OptionError(
        f"{_name(model)} is no autoencoder: use one, such as MultVAE, or the vaes_ of an Ensemble."
    )


def coder(model: Recommender) -> Coder:
    """Give back the model if it has a latent space."""
    if isinstance(model, AutoencoderRecommender | Ensemble):
        return model
    raise OptionError(f"{_name(model)} has no latent space: use an autoencoder, such as MultVAE.")


def likely(model: Recommender) -> Coder:
    """Give back the model if its scores are log-probabilities, up to a constant for each user."""
    if isinstance(model, Ensemble | ResidualVAE) or _is_multinomial(model):
        return coder(model)
    raise OptionError(
        f"{_name(model)}'s scores are no log-probabilities: use a model with a multinomial "
        "likelihood, such as MultVAE."
    )


def generator(model: Recommender) -> AutoencoderRecommender:
    """Give back the model if its log-probabilities depend on its codes alone."""
    if _is_multinomial(model):
        return autoencoder(model)
    raise OptionError(
        f"{_name(model)} does not give a distribution over items for a code alone: use MultVAE, "
        "MultDAE, RecVAE or VampVAE, with a multinomial likelihood."
    )


def _is_multinomial(model: Recommender) -> bool:
    if isinstance(model, MultAutoencoder):
        return model.likelihood == "multinomial"
    return isinstance(model, RecVAE)


def _name(model: Recommender) -> str:
    return type(model).__name__
