"""Abilities: what a model can be used for beside recommending."""

from enum import Enum
from typing import ClassVar, Protocol


class Named(Protocol):
    """A model, of which its name is known."""

    name: ClassVar[str]


class Ability(Enum):
    """What a tool may need of a model; the value is what one that lacks it is refused with."""

    CODES = "{cls} has no latent space: use an autoencoder, such as MultVAE."
    """It encodes histories, and decodes codes to scores."""
    LOG_PROBABILITIES = (
        "{cls}'s scores are no log-probabilities: use a model with a multinomial likelihood, such "
        "as MultVAE."
    )
    """Its scores are log-probabilities of the items, up to a constant for each user."""
    GENERATION = (
        "{cls} does not give a distribution over items for a code alone: use MultVAE, MultDAE, "
        "RecVAE or VampVAE, with a multinomial likelihood."
    )
    """Its log-probabilities depend on its codes alone."""
    EXPORT = (
        "{name} can't be exported: choose an autoencoder (ease and edlae are too), als or ensemble."
    )
    """Its `forward` scores in operators that an ONNX graph has."""

    def lacked_by(self, model: type[Named]) -> str:
        """Why a class of models without it is refused."""
        return self.value.format(cls=model.__name__, name=model.name)
