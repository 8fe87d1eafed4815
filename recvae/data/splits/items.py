"""Cold items: a part of the items has no interaction in training, and is held out."""

import numpy as np
import scipy.sparse as sp

from recvae.data.interactions import Interactions
from recvae.data.splits.holdout import Holdout, Split
from recvae.data.splits.parts import hold_out
from recvae.data.splits.users import checked_sizes, divided, drawn, shuffled
from recvae.errors import OptionError


def split_items(
    data: Interactions | sp.csr_matrix,
    n_validation: int | None = None,
    n_test: int | None = None,
    *,
    cold: float = 0.1,
    seed: int = 98765,
    held_out: float = 0.2,
) -> Split:
    """Hold out whole users and whole items, of which the model knows the features only.

        known    cold for
        items    validation, test
        T . T T    x x   . x     user a, training
        . T T .    . x   x .     user b, training
        f f . h    h .   x .     user c, validation
        f h f .    f .   h h     user d, test

    The users are split as in `split_users`. Of the items of the training users a random part is
    cold for validation, another one for test. Of a held-out user all cold items are held out, and a
    part of the others as in `split_users`. `evaluate(..., among=...)` ranks the cold items alone.
    No item is dropped for being cold: fit with `item_features`.

    Args:
        cold: fraction of the items that are cold for validation, and for test; the other arguments
            are those of `split_users`.

    Returns:
        `train` has no interaction of any cold item; `final` has those of the items that are cold
        for validation, so that its items without interactions are those for test.

    Raises:
        OptionError, DataError: as `split_users` raises them.
    """
    data = Interactions.from_matrix(data)
    sizes = checked_sizes(data, n_validation, n_test, seed, held_out)
    if not 0 < cold < 1 / 2:
        raise OptionError(f"cold={cold} must be between 0 and 0.5.")
    users, validation, test = divided(data, shuffled(data, seed), *sizes)
    order = np.random.default_rng(seed).permutation(users.shape[1])
    n_cold = max(1, int(cold * len(order)))
    for_test, for_validation = (
        np.isin(np.arange(len(order)), part)
        for part in (order[:n_cold], order[n_cold : 2 * n_cold])
    )
    return Split(
        _without(users, for_test | for_validation),
        _held_out(_without(validation, for_test), for_validation, held_out, seed),
        _held_out(test, for_test, held_out, seed),
        _without(users, for_test),
    )


def _without(data: Interactions, items: np.ndarray) -> Interactions:
    """Drop the interactions of marked items, not the items."""
    return data.keep(~items[data.matrix.indices])


def _held_out(data: Interactions, cold: np.ndarray, fraction: float, seed: int) -> Holdout:
    """Hold out all cold items of each user, and a random part of the others."""
    is_cold = cold[data.matrix.indices]
    known = data.keep(~is_cold)
    marked = is_cold.copy()
    marked[~is_cold] = drawn(known, fraction, seed)
    return hold_out(data, ~marked, marked)
