"""Generated interactions: how fast a model is has little to do with what there is to learn."""

import numpy as np
import scipy.sparse as sp

import recvae as rv

ML_20M = (116_677, 20_108)
"""Users and items of MovieLens 20M as Liang et al. train on it."""
KINDS = 50
TOPICS, EVENNESS = 50, 0.05
"""Of the catalogue; and how evenly a user's items come from them: Dirichlet's parameter."""
LONG_TAIL, CONTRAST = 0.8, 3.0
"""The power of the rank by which fame falls; how far an item's log weights differ by topic."""


def by_kind(n_users: int, n_items: int) -> sp.csr_matrix:
    """Draw about 60 items a user: half by their fame, half by the user's kind."""
    rng = np.random.default_rng(0)
    sizes = np.minimum(10 + rng.pareto(1.5, n_users) * 25, 1000).astype(np.int64)
    users = np.repeat(np.arange(n_users), sizes)
    fame = (n_items * rng.random(len(users)) ** 3).astype(np.int64)
    shift = rng.integers(0, n_items, KINDS)[rng.integers(0, KINDS, n_users)][users]
    items = (fame + np.where(rng.random(len(users)) < 0.5, shift, 0)) % n_items
    return _ones(users, items, (n_users, n_items))


def like_ml_20m(scale: float, users: int = ML_20M[0]) -> sp.csr_matrix:
    """The same in the shape of MovieLens 20M, or of a part of it."""
    return by_kind(int(users * scale), max(1000, int(ML_20M[1] * scale)))


def by_topics(n_users: int, n_items: int) -> sp.csr_matrix:
    """Draw some 60 items a user, each of one of the user's topics: there is something to learn.

    The model is latent Dirichlet allocation (Blei, Ng & Jordan, JMLR 2003).
    """
    rng = np.random.default_rng(0)
    sizes = np.minimum(30 + 40 * rng.pareto(1.8, n_users), 1000).astype(np.int64)
    counts = rng.multinomial(sizes, rng.dirichlet(np.full(TOPICS, EVENNESS), n_users))
    fame = -LONG_TAIL * np.log(rng.permutation(n_items) + 100.0)
    users, items = [], []
    for of_topic in counts.T:
        bounds = np.exp(fame + CONTRAST * rng.normal(size=n_items)).cumsum()
        items.append(np.searchsorted(bounds, rng.random(of_topic.sum()) * bounds[-1]))
        users.append(np.repeat(np.arange(n_users), of_topic))
    return _ones(np.concatenate(users), np.concatenate(items), (n_users, n_items))


def histories(n_items: int, n_users: int) -> list[np.ndarray]:
    """Columns of about 33 items a user, 1 to 200, drawn at random."""
    rng = np.random.default_rng(0)
    sizes = np.minimum(rng.geometric(0.03, n_users), 200)
    return [np.sort(rng.choice(n_items, size, replace=False)) for size in sizes]


def save_model(n_items: int, folder: str) -> str:
    """Save a Mult-VAE that has seen few users once."""
    rv.MultVAE(epochs=1).fit(by_kind(5_000, n_items)).save(folder)
    return folder


def _ones(users: np.ndarray, items: np.ndarray, shape: tuple[int, int]) -> sp.csr_matrix:
    """A matrix of ones, however often a pair was drawn."""
    matrix = sp.csr_matrix((np.ones(len(users), np.float32), (users, items)), shape)
    matrix.data[:] = 1
    return matrix
