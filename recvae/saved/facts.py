"""Facts: what a fitted model knows about its training, apart from its parameters."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from recvae.data.interactions import Interactions
from recvae.saved.origin import Origin


@dataclass(frozen=True, eq=False)
class Facts:
    """The facts about a training that are saved with a model's parameters.

    Attributes:
        items: DataFrame indexed by raw item id, a line per column of the training matrix.
        item_counts: int64 [items], how many training users have each item.
        n_users: number of training users.
        user_ids: raw ids of the training users, in row order; None for a model that serves new
            users.
        fingerprint: the fingerprint of the training data.
        options: the hyper-parameters that the model was fitted with.
        data: the training data, of what describes the users only what cold users are scored by;
            None if they are not kept.
        origin: when and by which code it was fitted; None during the fit.
        min_weight: the least weight of a like in the training data; None if each interaction is
            one, or if it is unknown.
        item_features: the columns of `items` by which cold items are scored; None if these are
            scored by vectors or not at all.
    """

    items: pd.DataFrame
    item_counts: np.ndarray
    n_users: int
    user_ids: pd.Index | None
    fingerprint: str
    options: dict[str, Any]
    data: Interactions | None = None
    origin: Origin | None = None
    min_weight: float | None = None
    item_features: list[str] | None = None
