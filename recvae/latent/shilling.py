"""Shilling: fake users who promote an item, added to data to test whether they are detected.

The four attacks of Mobasher et al. ("Toward Trustworthy Recommender Systems", ACM TOIT 2007). Each
fake user has the promoted item, some chosen items, and filler items up to the length of a real
user.
"""

from math import ceil
from typing import Literal, TypeAlias, get_args

import numpy as np
import pandas as pd
import scipy.sparse as sp
import torch
from pandas.api.types import is_integer_dtype

from recvae.data.interactions import Interactions
from recvae.errors import DataError, OptionError, require_known
from recvae.latent.draw import draw_histories
from recvae.ranking.top_k import as_columns

Attack: TypeAlias = Literal["random", "average", "bandwagon", "segment"]

BANDWAGON = 10
"""How many of the most popular items a bandwagon attack rates."""
MARK = "shilling"
"""The column that tells fake users from real ones."""


def inject_shilling(
    data: Interactions | sp.csr_matrix,
    attack: Attack,
    target: int,
    *,
    rate: float = 0.03,
    segment: np.ndarray | None = None,
    seed: int = 0,
) -> Interactions:
    """Add fake users who promote an item.

    The attacks differ in their chosen items, which get the greatest weight like the target, and in
    the weights of their fillers, which are random items:

        random      no chosen items; fillers have the weight of a random interaction
        average     no chosen items; fillers have the weight of a random interaction of that item
        bandwagon   chosen are the most popular items; fillers as in random
        segment     chosen are the items of the segment; fillers have the least weight of all

    So weights must be ratings for `average` to differ from `random`: inject before you filter by
    `min_weight`.

    Args:
        data: real users x items.
        attack: one of the four attacks.
        target: column of the promoted item.
        rate: number of fake users divided by the number of real ones.
        segment: columns, int [n], that a segment attack is aimed at.
        seed: decides everything random.

    Returns:
        The real users, then the fake ones; the bool column `shilling` of `users` tells them apart.
        Timestamps and positions are dropped, since fake users have none.

    Raises:
        DataError: there is no interaction.
        OptionError: there is no such attack, a column or the rate is out of range, or only one of
            segment and a segment attack was given.
    """
    data = Interactions.from_matrix(data)
    chosen = _chosen(data, attack, target, segment)
    if data.matrix.nnz == 0:
        raise DataError("there is no interaction that false users could imitate.")
    if not 0 < rate <= 1:
        raise OptionError(f"rate={rate} must be above 0, and 1 at most.")
    rng = np.random.default_rng(seed)
    profiles = _profiles(data, chosen, ceil(rate * data.shape[0]), rng)
    weights = _filler_weights(data, attack, profiles.indices, rng)
    profiles.data = np.where(chosen[profiles.indices], data.matrix.data.max(), weights)
    return _append(data, profiles)


def _chosen(
    data: Interactions, attack: Attack, target: int, segment: np.ndarray | None
) -> np.ndarray:
    """The items that every fake user has: bool [items]."""
    require_known(attack, get_args(Attack), "there is no")
    if (segment is None) == (attack == "segment"):
        raise OptionError("a segment attack needs a segment=[columns], and no other takes one.")
    popular = np.argsort(-data.item_counts, kind="stable")[: BANDWAGON * (attack == "bandwagon")]
    columns = [*(popular if segment is None else segment), target]
    chosen = np.zeros(data.shape[1], dtype=bool)
    chosen[as_columns(columns, len(chosen), "target and segment")] = True
    return chosen


def _profiles(
    data: Interactions, chosen: np.ndarray, n: int, rng: np.random.Generator
) -> sp.csr_matrix:
    """The items of n fake users: the chosen ones, and fillers among items that anybody has."""
    log_weights = np.where(chosen, np.inf, np.where(data.item_counts > 0, 0, -np.inf))
    known = data.matrix.getnnz(axis=1).astype(np.int64)
    lengths = rng.choice(known[known > 0], n).clip(
        chosen.sum(), np.isfinite(log_weights).sum() + chosen.sum()
    )
    rows = torch.from_numpy(log_weights.astype(np.float32)).expand(n, -1)
    return draw_histories(lambda block: rows[block], lengths, len(chosen), rng)


def _filler_weights(
    data: Interactions, attack: Attack, columns: np.ndarray, rng: np.random.Generator
) -> np.ndarray:
    """The weights of fillers in some columns: float32 [n]."""
    if attack == "segment":
        return np.full(len(columns), data.matrix.data.min())
    if attack != "average":
        return rng.choice(data.matrix.data, len(columns))
    by_item = data.matrix.tocsc()
    place = rng.integers(np.maximum(data.item_counts[columns], 1))
    return by_item.data[(by_item.indptr[columns] + place).clip(max=by_item.nnz - 1)]


def _append(data: Interactions, profiles: sp.csr_matrix) -> Interactions:
    n_users, n_false = data.shape[0], profiles.shape[0]
    if is_integer_dtype(data.user_ids):
        ids = pd.Index(np.arange(1, n_false + 1) + data.user_ids.max())
    else:
        ids = pd.Index([f"{MARK} {n_users + n}" for n in range(n_false)])
    users = data.users.reindex(data.user_ids.append(ids).rename(data.user_ids.name))
    return Interactions(
        matrix=sp.vstack([data.matrix, profiles], format="csr"),
        users=users.assign(**{MARK: np.arange(len(users)) >= n_users}),
        items=data.items,
    )
