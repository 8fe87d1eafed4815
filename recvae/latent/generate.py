"""Generate: synthetic users, drawn from a latent space."""

from typing import Literal, TypeAlias, get_args

import numpy as np
import scipy.sparse as sp
from scipy.stats import rankdata

from recvae.errors import DataError, OptionError, require_known
from recvae.latent.draw import draw_histories
from recvae.models.contract.abilities import Ability
from recvae.models.contract.recommender import Recommender
from recvae.packages import sklearn

CodeSource: TypeAlias = Literal["mixture", "posterior", "prior"]

COMPONENTS = 10
TEMPERATURE = 0.8
"""The default temperature, chosen on the validation users of MovieLens 1M."""


def generate(
    model: Recommender,
    histories: sp.csr_matrix,
    n_users: int,
    source: CodeSource = "mixture",
    *,
    n_components: int = COMPONENTS,
    temperature: float = TEMPERATURE,
    seed: int = 0,
) -> sp.csr_matrix:
    """Draw synthetic users: for each a code, a length, and as many items without replacement.

    The items are drawn in proportion to a power of the decoder's probabilities. Users of the
    posterior are noisy copies of somebody. To train a model, draw several times as many users as
    there are real ones.

    Args:
        model: a fitted MultVAE, MultDAE, RecVAE or VampVAE of multinomial likelihood.
        histories: CSR [users, items] of real users; empty ones do not count.
        n_users: how many users to draw.
        source: where codes and lengths come from. "posterior" takes random real users, with their
            lengths, and draws from their posteriors. "mixture" draws from a mixture of Gaussians,
            fitted to one such draw for each real user, codes and logarithms of lengths together
            (cf. Ghosh et al., "From Variational to Deterministic Autoencoders", ICLR 2020); it
            needs scikit-learn. "prior" draws codes from N(0, I), and lengths from real users.
        n_components: number of components of the mixture, each with a full covariance matrix.
        temperature: the power is 1 / temperature; below 1, fewer unlikely items are drawn.
        seed: decides everything random.

    Returns:
        CSR float32 [n_users, items] of ones.

    Raises:
        DataError: the histories are empty, or fewer than the components.
        MissingPackageError: a mixture was asked for, and scikit-learn is not installed.
        OptionError: n_users, source, n_components or temperature is out of range.
    """
    model.require(Ability.GENERATION)
    histories = model.checked(histories)
    histories = histories[np.diff(histories.indptr) > 0]
    _check(histories, n_users, source, n_components, temperature)
    rng = np.random.default_rng(seed)
    if source != "mixture":
        histories = histories[rng.integers(histories.shape[0], size=n_users)]
    codes, lengths = _posterior(model, histories, rng), np.diff(histories.indptr)
    if source == "mixture":
        codes, lengths = _mixture(codes, lengths, n_users, n_components, rng)
    if source == "prior":
        codes = rng.standard_normal(codes.shape, dtype=np.float32)
    return draw_histories(
        lambda block: model.decode(codes[block]) / temperature,
        lengths.astype(np.int64),
        histories.shape[1],
        rng,
    )


def _posterior(
    model: Recommender, histories: sp.csr_matrix, rng: np.random.Generator
) -> np.ndarray:
    """A draw from each history's posterior, [users, latent]; the code itself if it has none."""
    mean, logvar = model.encode(histories)
    return mean + np.exp(0.5 * logvar) * rng.standard_normal(mean.shape, dtype=np.float32)


def _mixture(
    codes: np.ndarray,
    lengths: np.ndarray,
    n_users: int,
    n_components: int,
    rng: np.random.Generator,
) -> tuple[np.ndarray, np.ndarray]:
    """Draws from a mixture of Gaussians fitted to codes and lengths."""
    mixture = sklearn("mixture").GaussianMixture(
        n_components, random_state=int(rng.integers(2**31))
    )
    # One mixture of codes and log-lengths together, so that drawn lengths suit the drawn codes.
    known = np.column_stack([codes, np.log(lengths)]).astype(np.float64)
    drawn, _ = mixture.fit(known).sample(n_users)
    # The i-th smallest of the n drawn log-lengths becomes the quantile (i - 1/2) / n of the known
    # lengths, so that lengths are distributed as these.
    places = (rankdata(drawn[:, -1], method="ordinal") - 0.5) / n_users
    return drawn[:, :-1].astype(np.float32), np.quantile(lengths, places, method="inverted_cdf")


def _check(
    histories: sp.csr_matrix, n_users: int, source: str, n_components: int, temperature: float
) -> None:
    require_known(source, get_args(CodeSource), "there is no")
    if n_users < 1 or n_components < 1:
        raise OptionError(f"n_users={n_users} and n_components={n_components} must be 1 or more.")
    if not 0 < temperature < np.inf:
        raise OptionError(f"temperature={temperature} must be above 0.")
    needed = n_components if source == "mixture" else 1
    if histories.shape[0] < needed:
        raise DataError(
            f"{needed} histories or more are needed, and {histories.shape[0]} are not empty: "
            "give more, or ask for fewer components."
        )
