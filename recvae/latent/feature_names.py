"""Feature names: names the features of sparse codes by labels of the items, such as genres."""

import numpy as np
import pandas as pd
from scipy.stats import hypergeom

from recvae.errors import DataError
from recvae.latent.sparse_codes import SparseCodes


def name_features(codes: SparseCodes, labels: pd.DataFrame, top: int = 20) -> pd.DataFrame:
    """Name each feature by the label that is most over-represented among its top items.

    The top items are those whose scores the feature raises most. Of their labels the one is chosen
    whose frequency is least likely among as many random items, by the hypergeometric test.

    Args:
        codes: fitted sparse codes.
        labels: bool [items, labels], such as `items["genres"].str.get_dummies()`: what each item
            is, in the order of the columns. Items without any label do not count.
        top: how many top items of each feature are looked at.

    Returns:
        A line per feature: `label`; `count`, how many of the top items have it; `lift`, that count
        divided by the count expected among random items; `p_value`, multiplied by the number of
        labels (Bonferroni).

    Raises:
        DataError: `labels` has not a line for each item, or fewer than `top` items have a label.
    """
    members = labels.to_numpy(dtype=bool)
    known = np.flatnonzero(members.any(axis=1))
    if len(labels) != len(codes.model_.items_) or len(known) < top:
        raise DataError(
            f"labels has {len(labels)} lines, and {len(known)} with a label: give one for each of "
            f"the {len(codes.model_.items_)} items, and for {top} or more a label."
        )
    best = np.argsort(-codes.effects()[:, known], axis=1, kind="stable")[:, :top]
    # Of each label, how often it is among the top items of each feature, and among all.
    counts, totals = members[known][best].sum(axis=1), members[known].sum(axis=0)
    chances = np.asarray(hypergeom.sf(counts - 1, len(known), totals, top))
    lifts = counts * len(known) / np.maximum(totals * top, 1)
    features, least = np.arange(len(counts)), chances.argmin(axis=1)
    return pd.DataFrame(
        {
            "label": labels.columns[least],
            "count": counts[features, least],
            "lift": lifts[features, least],
            "p_value": np.minimum(chances[features, least] * labels.shape[1], 1),
        },
        index=pd.Index(features, name="feature"),
    )
