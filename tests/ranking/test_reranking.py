"""Lists between the popular and the niche."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.stats import zscore

from recvae.ranking.reranking import POOL, rerank

COUNTS = np.array([7, 0, 2, 50, 50, 1])
IDS, SCORES = np.array([3, 0, 5, 2]), np.array([4.0, 3.0, 2.0, 1.0])


@pytest.mark.parametrize(
    ("niche", "expected"),
    [
        (0, [3, 0, 5, 2]),
        (-1, [3, 0, 2, 5]),
        (1, [5, 2, 0, 3]),
        # z(score) = 1.342, 0.447, -0.447, -1.342; z(log(1 + count)) = 1.532, 0.048, -0.949, -0.631
        (0.5, [5, 0, 3, 2]),
    ],
)
def test_by_hand(niche, expected):
    ids, scores = rerank(IDS, SCORES, COUNTS, niche, 4)
    assert list(ids) == expected
    assert dict(zip(ids, scores, strict=True)) == dict(zip(IDS, SCORES, strict=True))


def test_lists_end_where_items_do():
    ids, scores = rerank(np.array([3, 0, -1]), np.array([2.0, 1.0, -np.inf]), COUNTS, 1, 3)
    assert (list(ids), list(scores)) == ([0, 3], [1, 2])
    assert rerank(np.array([-1]), np.array([-np.inf]), COUNTS, 1, 1)[0].size == 0


def test_equal_scores_and_counts_stay_in_order():
    """In each of two groups, of so many items that a sort by halves would mix them."""
    counts = np.tile([9, 1], 50)
    expected = [*range(1, 100, 2), *range(0, 100, 2)]
    assert list(rerank(np.arange(100), np.ones(100), counts, 0.5, 100)[0]) == expected


@pytest.mark.parametrize("niche", [-0.7, 0.3, 0.5])
def test_the_scale_of_the_scores_does_not_matter(niche):
    """They are standardized: raw, the scores would drown the counts, or be drowned."""
    one = [
        rerank(IDS, scale * SCORES - 5, COUNTS, niche, 4)[0].tolist() for scale in (1e-4, 1, 1e4)
    ]
    assert one[0] == one[1] == one[2]
    worth = (1 - abs(niche)) * zscore(SCORES) - niche * zscore(np.log1p(COUNTS[IDS]))
    assert one[0] == IDS[np.argsort(-worth)].tolist()


def test_scores_go_with_their_items():
    ids, scores = rerank(IDS, SCORES, COUNTS, 1, 2)
    assert (ids.tolist(), scores.tolist()) == ([5, 2], [2, 1])


def test_what_is_below_the_pool_is_never_shown():
    n = 2 * POOL
    counts = np.arange(n)[::-1]
    ids, _ = rerank(np.arange(n), np.arange(n)[::-1].astype(float), counts, 1, 3)
    assert list(ids) == [POOL - 1, POOL - 2, POOL - 3]


@given(
    arrays(np.float64, 12, elements=st.floats(-1e6, 1e6)),
    arrays(np.int64, 12, elements=st.integers(0, 10**6)),
    st.floats(-1, 1),
    st.integers(1, 12),
)
def test_shorter_lists_are_the_beginnings_of_longer_ones(scores, counts, niche, k):
    scores = -np.sort(-scores)
    longest, _ = rerank(np.arange(12), scores, counts, niche, 12)
    assert sorted(longest) == list(range(12))
    np.testing.assert_array_equal(rerank(np.arange(12), scores, counts, niche, k)[0], longest[:k])
