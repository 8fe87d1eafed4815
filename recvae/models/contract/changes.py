"""Changes: what is new in the training data of a fitted model."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import scipy.sparse as sp

from recvae.data.growth import grown, without_users
from recvae.data.interactions import Interactions
from recvae.data.matrices import placed, sized
from recvae.errors import OptionError


@dataclass(frozen=True, eq=False)
class Change:
    """What an update learns from. Items of yesterday keep their columns.

    Attributes:
        train: CSR [users, items], all training users as they are today.
        rows: int [n], the rows of those users in it who are new or whose rows are others.
        before: CSR [changed users, items], yesterday's rows; those of new users are empty.
        after: CSR [changed users, items], today's rows; those of users who left are empty.
    """

    train: sp.csr_matrix
    rows: np.ndarray
    before: sp.csr_matrix
    after: sp.csr_matrix

    @classmethod
    def between(cls, yesterday: Interactions, today: Interactions, left: np.ndarray) -> Self:
        """The change between two days; `left` marks the rows of yesterday that are gone today."""
        n_new = today.shape[0] - (~left).sum()
        shape = len(left) + n_new, today.shape[1]
        before = sized(yesterday.matrix, shape)
        rows = np.concatenate([np.flatnonzero(~left), np.arange(len(left), shape[0])])
        after = placed(today.matrix, rows, np.arange(shape[1]), shape)
        changed = (before - after).getnnz(axis=1) > 0
        return cls(today.matrix, np.flatnonzero(changed[rows]), before[changed], after[changed])


def changed(
    data: Interactions | None,
    new: Interactions | None,
    remove_users: Collection[Any],
) -> tuple[Interactions, Change]:
    """Today's training data, without users who like nothing, and what changed since yesterday."""
    if data is None:
        raise OptionError(
            "an update starts from the data of the last fit, which this model has not kept: fit it "
            "with keep_data=True."
        )
    today = data if new is None else grown(data, new)
    kept = without_users(today, remove_users)
    kept = kept.select_users(np.diff(kept.matrix.indptr) > 0)
    left = ~data.user_ids.isin(kept.user_ids)
    return kept, Change.between(data, kept, left)
