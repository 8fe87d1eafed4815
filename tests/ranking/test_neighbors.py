"""The most similar items, against a slow reference."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from recvae.errors import OptionError
from recvae.ranking.neighbors import cosine, nearest

VECTORS = torch.tensor([[3.0, 0.0], [0.0, 0.0], [1.0, 1.0], [0.0, 7.0], [-2.0, 0.0]])


def reference(vectors: np.ndarray, one: int, other: int) -> float:
    """The cosine of two of the vectors; 0 if one is of length 0."""
    lengths = [float(np.sqrt((vectors[n] ** 2).sum())) for n in (one, other)]
    return vectors[one] @ vectors[other] / np.prod(lengths) if all(lengths) else 0.0


def test_by_hand():
    ids, similarities = nearest(cosine(VECTORS), np.array([0, 3]), 5, 4)
    assert ids.tolist() == [[2, 1, 3, 4], [2, 0, 1, 4]]
    half = np.sqrt(0.5)
    np.testing.assert_allclose(similarities, [[half, 0, 0, -1], [half, 0, 0, 0]], atol=1e-6)
    assert (ids.dtype, similarities.dtype) == (np.int64, np.float32)


def test_an_item_is_never_its_own_neighbor():
    ids, similarities = nearest(cosine(VECTORS), np.array([4, 0, 4]), 5, 5)
    assert [set(row) for row in ids[:, :4].tolist()] == [{0, 1, 2, 3}, {1, 2, 3, 4}, {0, 1, 2, 3}]
    assert ids[:, 4].tolist() == [-1, -1, -1]
    assert (similarities[:, 4] == -np.inf).all()


@given(arrays(np.float32, (7, 3), elements=st.floats(-4, 4, width=16)))
def test_the_cosine_is_the_reference_s(vectors):
    found = cosine(torch.from_numpy(vectors))(np.array([5, 0]))
    expected = [[reference(vectors, one, other) for other in range(7)] for one in (5, 0)]
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_each_similarity_is_fresh_memory():
    similarity = cosine(VECTORS)
    similarity(np.array([2])).fill_(9)
    assert similarity(np.array([2]))[0, 2] == pytest.approx(1)


def test_lists_may_be_of_all_items_whatever_is_asked_for():
    ids, _ = nearest(cosine(VECTORS), np.array([0]), 5, 5)
    assert ids.tolist() == [[2, 1, 3, 4, -1]]


def test_a_length_out_of_range_is_refused():
    with pytest.raises(OptionError, match="k=6"):
        nearest(cosine(VECTORS), np.array([0]), 5, 6)
