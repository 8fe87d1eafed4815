"""Generate: users that nobody is, drawn from a latent space."""

from typing import Literal, TypeAlias, get_args

import numpy as np
import scipy.sparse as sp

from recvae.errors import DataError, OptionError, did_you_mean
from recvae.latent.draw import draw_histories, draw_lengths
from recvae.latent.models import generator
from recvae.latent.packages import sklearn
from recvae.models.autoencoder import AutoencoderRecommender
from recvae.models.base import Recommender

Source: TypeAlias = Literal["mixture", "posterior", "prior"]

COMPONENTS = 10


def generate(
    model: Recommender,
    histories: sp.csr_matrix,
    n_users: int,
    source: Source = "mixture",
    *,
    components: int = COMPONENTS,
    seed: int = 0,
) -> sp.csr_matrix:
    """Draw synthetic users: a code, a length and, without replacement, so many items each.

    The items are drawn in proportion to the decoder's probabilities, the lengths from those of the
    histories.

    Args:
        model: a fitted MultVAE, MultDAE, RecVAE or VampVAE of multinomial likelihood.
        histories: CSR [users, items] of real users; empty ones do not count.
        n_users: how many to draw.
        source: where codes come from. "posterior" is the aggregate posterior: the posterior of a
            real user at random, and so a noisy copy of somebody. "mixture" is a mixture of
            Gaussians fitted to codes drawn from it, a draw for each real user (Ghosh et al., "From
            Variational to Deterministic Autoencoders", ICLR 2020); it needs scikit-learn.
            "prior" is N(0, I), which is far from the codes of any model that was trained with
            beta < 1, or with another prior.
        components: of the mixture, with a full covariance matrix each.
        seed: decides everything random.

    Returns:
        CSR float32 [n_users, items] of ones.

    Raises:
        DataError: the histories are empty, fewer than the components, or not of the model's items.
        MissingPackageError: a mixture was asked for, and scikit-learn is not installed.
        OptionError: the model's codes do not decide its probabilities, or n_users, source or
            components is not possible.
    """
    net = generator(model)
    histories = net.checked(histories)
    histories = histories[np.diff(histories.indptr) > 0]
    _check(histories, n_users, source, components)
    rng = np.random.default_rng(seed)
    codes = _codes(net, histories, n_users, source, components, rng)
    lengths = draw_lengths(histories, n_users, rng)
    return draw_histories(lambda block: net.decode(codes[block]), lengths, histories.shape[1], rng)


def _codes(
    net: AutoencoderRecommender,
    histories: sp.csr_matrix,
    n_users: int,
    source: Source,
    components: int,
    rng: np.random.Generator,
) -> np.ndarray:
    """Codes float32 [n_users, latent]."""
    if source == "posterior":
        return _posterior(net, histories[rng.integers(histories.shape[0], size=n_users)], rng)
    known = _posterior(net, histories if source == "mixture" else histories[:1], rng)
    if source == "prior":
        return rng.standard_normal((n_users, known.shape[1]), dtype=np.float32)
    return _mixture(known, n_users, components, rng)


def _posterior(
    net: AutoencoderRecommender, histories: sp.csr_matrix, rng: np.random.Generator
) -> np.ndarray:
    """A draw from the posterior of each history, [users, latent]; of a point, the point."""
    mean, logvar = net.encode(histories)
    return mean + np.exp(0.5 * logvar) * rng.standard_normal(mean.shape, dtype=np.float32)


def _mixture(
    known: np.ndarray, n_users: int, components: int, rng: np.random.Generator
) -> np.ndarray:
    """Draws from a mixture of Gaussians fitted to codes."""
    mixture = sklearn("mixture").GaussianMixture(components, random_state=int(rng.integers(2**31)))
    codes, _ = mixture.fit(known.astype(np.float64)).sample(n_users)
    return codes.astype(np.float32)


def _check(histories: sp.csr_matrix, n_users: int, source: str, components: int) -> None:
    if source not in get_args(Source):
        raise OptionError(f"there is no {source!r}: {did_you_mean(source, get_args(Source))}")
    if n_users < 1 or components < 1:
        raise OptionError(f"n_users={n_users} and components={components} must be 1 or more.")
    needed = components if source == "mixture" else 1
    if histories.shape[0] < needed:
        raise DataError(
            f"{needed} histories or more are needed, and {histories.shape[0]} are not empty: "
            "give more, or ask for fewer components."
        )
