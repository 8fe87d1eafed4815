"""Facts: what a fitted model knows of its training, beside what it learnt."""

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import pandas as pd

from recvae.data.interactions import Interactions
from recvae.data.shards import Shards
from recvae.saved.origin import Origin


@dataclass(frozen=True, eq=False)
class Facts:
    """What is saved with a model's weights.

    Attributes:
        items: DataFrame indexed by raw item id, a line per column of the training matrix.
        item_counts: int64 [items], how many training users have each item.
        n_users: how many training users there were.
        user_ids: their raw ids, in row order, of a model that knows no others; None of one that
            does.
        fingerprint: the training data's.
        options: the hyper-parameters that the model was fitted with.
        origin: when and by which code; None while it is being fitted.
    """

    items: pd.DataFrame
    item_counts: np.ndarray
    n_users: int
    user_ids: pd.Index | None
    fingerprint: str
    options: dict[str, Any]
    origin: Origin | None = None

    @classmethod
    def of(cls, data: Interactions | Shards, options: dict[str, Any], *, keep_users: bool) -> Self:
        """What is known of the training data before the fit."""
        return cls(
            items=data.items,
            item_counts=data.item_counts,
            n_users=data.shape[0],
            user_ids=data.user_ids if keep_users else None,
            fingerprint=data.fingerprint(),
            options=options,
        )
