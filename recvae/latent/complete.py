"""Completion: an attribute that is known of some users or items, for all of them."""

import warnings

import numpy as np
import pandas as pd

from recvae.errors import DataError
from recvae.packages import sklearn

FOLDS = 5
PENALTIES = tuple(10.0**power for power in range(-4, 1))
"""Inverse penalties, as scikit-learn has them, on codes of variance 1."""


def complete(codes: np.ndarray, labels: pd.Series) -> pd.DataFrame:
    """Give the probability of each value of an attribute, by the codes of those whose is known.

    A multinomial logistic regression, whose penalty is the one with the best log-likelihood on held
    out labels: so the probabilities are calibrated, with few labels too. The codes of users are
    `model.encode(histories)[0]`, those of items `item_codes(model, histories)`.

    Args:
        codes: float [n, d], of users or items.
        labels: [n], the attribute's values; missing where they are not known.

    Returns:
        [n, values], a column for each value, with the index of `labels`; each row sums to 1.

    Raises:
        DataError: there is not one code for each label, or a value is known only once, or no two
            values are known.
        MissingPackageError: scikit-learn is not installed.
    """
    known = labels.notna().to_numpy()
    counts = labels[known].value_counts()
    if len(codes) != len(labels) or len(counts) < 2 or counts.min() < 2:
        raise DataError(
            f"there are {len(codes):,} codes and {len(labels):,} labels, of which {known.sum():,} "
            f"are known, with {len(counts)} values: give a label, or a missing one, for each code, "
            "and at least two values that two or more have; set rarer ones to missing."
        )
    selection = sklearn("model_selection")
    search = selection.GridSearchCV(
        sklearn("linear_model").LogisticRegression(max_iter=1000),
        {"C": PENALTIES},
        scoring="neg_log_loss",
        cv=selection.StratifiedKFold(min(FOLDS, counts.min())),
    )
    probe = sklearn("pipeline").make_pipeline(sklearn("preprocessing").StandardScaler(), search)
    numbers, values = pd.factorize(labels[known], sort=True)
    with warnings.catch_warnings():  # parts of few labels have nearly as many values
        warnings.filterwarnings("ignore", "The number of unique classes")
        chances = probe.fit(codes[known], numbers).predict_proba(codes)
    return pd.DataFrame(chances, index=labels.index, columns=values)
