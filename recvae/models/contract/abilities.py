"""Abilities: what a model can do beside recommending."""

from enum import Enum


class Ability(Enum):
    """What a tool may need of a model; the value is the error message for a model without it."""

    CODES = "{cls} has no latent space: use an autoencoder, such as MultVAE."
    """The model encodes histories and decodes codes to scores."""
    LOG_PROBABILITIES = (
        "{cls}'s scores are no log-probabilities: use a model with a multinomial likelihood, such "
        "as MultVAE."
    )
    """The model's scores are log-probabilities of the items, up to a constant for each user."""
    GENERATION = (
        "{cls} does not give a distribution over items for a code alone: use MultVAE, MultDAE, "
        "RecVAE or VampVAE, with a multinomial likelihood."
    )
    """The model's log-probabilities depend on its codes alone."""
    EXPORT = (
        "{name} can't be exported: choose an autoencoder (ease, edlae and graph-ae are too), als, "
        "item-knn or ensemble."
    )
    """The model's `forward` uses only operators that an ONNX graph has."""
    SPARSE_SCORES = "{cls}'s scores are not sparse: choose item-knn, sparse-edlae or transitions."
    """Most of the model's scores are 0, and `sparse_scores` gives the others."""
    VECTORS = (
        "{cls}'s scores are no inner products: choose mult-vae, mult-dae, rec-vae, vamp-vae, elsa, "
        "als, bpr or lmf."
    )
    """The model's scores are inner products of users' and items' vectors, plus items' biases."""
