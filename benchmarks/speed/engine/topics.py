"""Users of several topics: a large generated catalogue that has something to learn."""

import numpy as np
import scipy.sparse as sp

TOPICS, EVENNESS = 50, 0.05
"""Of the catalogue; and how evenly a user's items come from them: Dirichlet's parameter."""
LONG_TAIL, CONTRAST = 0.8, 3.0
"""The power of the rank by which fame falls; how far an item's log weights differ by topic."""


def generate(n_users: int, n_items: int) -> sp.csr_matrix:
    """Draw some 60 items a user, each of one of the user's topics, by its weights there.

    The model is latent Dirichlet allocation (Blei, Ng & Jordan, JMLR 2003).
    """
    rng = np.random.default_rng(0)
    sizes = np.minimum(30 + 40 * rng.pareto(1.8, n_users), 1000).astype(np.int64)
    counts = rng.multinomial(sizes, rng.dirichlet(np.full(TOPICS, EVENNESS), n_users))
    fame = -LONG_TAIL * np.log(rng.permutation(n_items) + 100.0)
    matrix = sp.csr_matrix((n_users, n_items), dtype=np.float32)
    for of_topic in counts.T:
        bounds = np.exp(fame + CONTRAST * rng.normal(size=n_items)).cumsum()
        items = np.searchsorted(bounds, rng.random(of_topic.sum()) * bounds[-1])
        users = np.repeat(np.arange(n_users), of_topic)
        matrix += sp.csr_matrix((np.ones(len(users)), (users, items)), matrix.shape, np.float32)
    matrix.data[:] = 1
    return matrix
