import warnings

import numpy as np
import pandas as pd
import pytest

from recvae.errors import DataError
from recvae.latent import complete


@pytest.fixture(scope="module")
def drawn():
    """Codes, labels that depend on them by known probabilities, and these probabilities."""
    rng = np.random.default_rng(0)
    codes = rng.normal(size=(3000, 4)) * [1, 5, 0.1, 1]
    logits = codes @ np.array([[1.0, 0, -1], [0.2, -0.2, 0], [0, 10, 0], [0, 0, 0]])
    chances = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    values = [rng.choice(3, p=row) for row in chances]
    return codes, pd.Series(np.array(["a", "b", "c"])[values]), chances


def test_the_probabilities_are_those_that_the_labels_were_drawn_by(drawn):
    codes, labels, expected = drawn
    some = labels.where(np.arange(len(labels)) % 3 == 0)
    found = complete(codes, some)
    assert found.columns.tolist() == ["a", "b", "c"]
    np.testing.assert_allclose(found.sum(axis=1), 1)
    assert np.abs(found.to_numpy() - expected).mean() < 0.03


def test_few_labels_that_say_nothing_give_their_frequencies(drawn):
    codes, _, _ = drawn
    labels = pd.Series(np.random.default_rng(1).permutation([1.0] * 15 + [0.0] * 45))
    found = complete(codes, labels.reindex(range(len(codes))))
    assert np.abs(found[1.0] - 0.25).mean() < 0.1


def test_the_index_is_that_of_the_labels(drawn):
    codes, labels, _ = drawn
    named = labels.head(50).rename(lambda row: f"user {row}")
    assert complete(codes[:50], named).index.equals(named.index)


def test_many_values_that_few_have_are_no_reason_to_warn():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = complete(np.random.default_rng(0).normal(size=(80, 3)), pd.Series([*range(40)] * 2))
    assert found.shape == (80, 40)


@pytest.mark.parametrize(
    "labels",
    [
        ["a", "a", "b", "b", None],
        ["a", "a", "b", None, None, None],
        ["a", "a", None, None, None, None],
        [None] * 6,
    ],
    ids=["one too few", "a value known once", "one value", "none"],
)
def test_labels_that_teach_nothing_are_refused(labels):
    with pytest.raises(DataError, match="at least two values"):
        complete(np.eye(6), pd.Series(labels, dtype=object))
