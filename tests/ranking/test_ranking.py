import numpy as np
import pytest
import scipy.sparse as sp
import torch
from hypothesis import given
from hypothesis import strategies as st

from recvae.errors import OptionError, TrainingError
from recvae.ranking import blocks
from recvae.ranking.top_k import as_columns, top_k

SCORES = np.array([[3, 1, 2, 0], [5, 5, 5, 5], [-1, 4, 4, 9]], dtype=np.float32)
HISTORIES = sp.csr_matrix(np.array([[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 0, 0]], dtype=np.float32))
NOBODY = sp.csr_matrix((3, 4), dtype=np.float32)


class Scorer:
    """Scores from a table, block by block, in the order of the users."""

    def __init__(self, scores):
        self.scores, self.served = scores, 0

    def __call__(self, histories, rows):
        start, self.served = self.served, self.served + histories.shape[0]
        return torch.tensor(self.scores[start : self.served])


def rank(scores, histories, k, **arguments):
    return top_k(Scorer(scores), histories, k, **arguments)


def reference(scores, k, forbidden):
    """The slow and obvious way."""
    scores = np.where(forbidden, -np.inf, scores).astype(np.float32)
    order = np.array([np.lexsort((np.arange(len(row)), -row)) for row in scores])[:, :k]
    best = np.take_along_axis(scores, order, axis=1)
    return np.where(best == -np.inf, -1, order), best


def test_by_hand():
    ids, scores = rank(SCORES, HISTORIES, 2)
    assert ids.tolist() == [[2, 1], [0, 2], [3, 1]]
    assert scores.tolist() == [[2, 1], [5, 5], [9, 4]]
    assert (ids.dtype, scores.dtype) == (np.int64, np.float32)


def test_what_was_seen_may_be_asked_for():
    ids, scores = rank(SCORES, HISTORIES, 2, exclude_seen=False)
    assert ids.tolist() == [[0, 2], [0, 1], [3, 1]]
    assert scores.tolist() == [[3, 2], [5, 5], [9, 4]]


def test_lists_that_run_out_of_items():
    ids, scores = rank(SCORES, HISTORIES, 4)
    assert ids.tolist() == [[2, 1, 3, -1], [0, 2, 3, -1], [3, 1, 2, 0]]
    assert scores[0].tolist() == [2, 1, 0, -np.inf]


@st.composite
def problems(draw):
    n_users, n_items = draw(st.integers(1, 9)), draw(st.integers(1, 12))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    few = draw(st.sampled_from([1, 2, 3, 1000]))
    scores = rng.integers(-few, few, (n_users, n_items)).astype(np.float32)
    scores[rng.random(scores.shape) < draw(st.sampled_from([0, 0.2]))] = -np.inf
    scores[scores == 0] *= rng.choice([1, -1])  # minus zero ties with zero
    masks = [rng.random(scores.shape) < draw(st.sampled_from([0, 0.3, 1])) for _ in range(3)]
    return scores, draw(st.integers(1, n_items)), masks, draw(st.integers(1, 10))


@given(problems())
def test_like_the_reference_with_many_ties_whatever_the_block(problem):
    scores, k, (seen, allowed, denied), block = problem
    forbidden = seen | ~allowed | denied
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(blocks, "MOST_USERS", block)
        ids, best = rank(
            scores,
            sp.csr_matrix(seen.astype(np.float32)),
            k,
            allow=sp.csr_matrix(allowed),
            deny=[np.flatnonzero(row) for row in denied],
        )
    expected_ids, expected = reference(scores, k, forbidden)
    np.testing.assert_array_equal(ids, expected_ids)
    np.testing.assert_array_equal(best, expected)


@pytest.mark.parametrize("ties", [False, True])
def test_like_the_reference_on_many_items(ties):
    rng = np.random.default_rng(0)
    scores = rng.random((50, 3000), dtype=np.float32)
    scores = np.floor(scores * 30) if ties else scores
    seen = rng.random(scores.shape) < 0.02
    ids, best = rank(scores, sp.csr_matrix(seen.astype(np.float32)), 100)
    expected_ids, expected = reference(scores, 100, seen)
    np.testing.assert_array_equal(ids, expected_ids)
    np.testing.assert_array_equal(best, expected)


def test_rows_reach_the_scorer_block_by_block(monkeypatch):
    monkeypatch.setattr(blocks, "CELLS", 8)
    seen = []

    def score(histories, rows):
        seen.append(rows.tolist())
        return torch.zeros(histories.shape)

    top_k(score, NOBODY, 1, rows=np.array([7, 8, 9]))
    assert seen == [[7, 8], [9]]


@pytest.mark.parametrize(
    "allow",
    [
        [1, 3],
        (3, 1, 1),
        {1, 3},
        np.array([1, 3], dtype=np.int32),
        [[1, 3], [1, 3], [1, 3]],
        np.array([[1, 3], [3, 1], [1, 3]]),
        sp.csr_matrix([[0, 1, 0, 1]] * 3),
        sp.csc_array(np.array([[0, 1, 0, 1]] * 3)),
    ],
)
def test_every_form_of_an_item_set(allow):
    ids, _ = rank(SCORES, NOBODY, 3, allow=allow)
    assert ids.tolist() == [[1, 3, -1], [1, 3, -1], [3, 1, -1]]
    ids, _ = rank(SCORES, NOBODY, 3, deny=allow)
    assert ids.tolist() == [[0, 2, -1], [0, 2, -1], [2, 0, -1]]


def test_item_sets_of_each_user():
    ids, _ = rank(SCORES, NOBODY, 2, allow=[[0, 3], [], [2]])
    assert ids.tolist() == [[0, 3], [-1, -1], [2, -1]]
    ids, _ = rank(SCORES, NOBODY, 2, deny=[[0, 2], [], [3]])
    assert ids.tolist() == [[1, 3], [0, 1], [1, 2]]


@pytest.mark.parametrize("nothing", [[], np.array([]), [[], [], []], sp.csr_matrix((3, 4))])
def test_empty_item_sets(nothing):
    assert (rank(SCORES, NOBODY, 2, allow=nothing)[0] == -1).all()
    assert rank(SCORES, NOBODY, 2, deny=nothing)[0].tolist() == [[0, 2], [0, 1], [3, 1]]


def test_a_stored_zero_is_no_member():
    allow = sp.csr_matrix(([1, 0], ([0, 0], [1, 2])), shape=(3, 4))
    assert rank(SCORES, NOBODY, 2, allow=allow)[0].tolist() == [[1, -1], [-1, -1], [-1, -1]]
    assert allow.nnz == 2


def test_deny_wins_over_allow():
    assert rank(SCORES, NOBODY, 2, allow=[0, 1], deny=[0])[0][:, 0].tolist() == [1, 1, 1]


@pytest.mark.parametrize(
    ("items", "message"),
    [
        ([4], "from 0 to 3"),
        ([-1], "from 0 to 3"),
        ([2, -1], "from 0 to 3"),
        ([[0], [1], [4]], "from 0 to 3"),
        ([[0], [1]], r"\(2, 4\).*\(3, 4\)"),
        (sp.csr_matrix((3, 5)), r"\(3, 5\).*\(3, 4\)"),
        ([True, False, True, True], "bool"),
        ([0.5], "float64"),
        ([[0], 1, 2], "a list for each user"),
        (["item 1"], "<U6"),
        (3, "a list of columns"),
    ],
)
@pytest.mark.parametrize("name", ["allow", "deny"])
def test_item_sets_that_do_not_fit(name, items, message):
    with pytest.raises(OptionError, match=f"{name}.* .*{message}"):
        rank(SCORES, NOBODY, 2, **{name: items})


def test_columns_are_one_list_of_them():
    assert as_columns([3, 0], 4, "columns").dtype == np.int64
    with pytest.raises(OptionError, match="columns must be one list of columns"):
        as_columns([[0], [1]], 4, "columns")


@pytest.mark.parametrize("k", [0, -1, 5, 1.5, "3"])
def test_impossible_lengths(k):
    with pytest.raises(OptionError, match=f"k={k}.* 4"):
        rank(SCORES, NOBODY, k)


def test_no_users():
    ids, scores = rank(SCORES[:0], NOBODY[:0], 2)
    assert ids.shape == scores.shape == (0, 2)


def test_scores_that_are_no_numbers():
    scores = SCORES.copy()
    scores[1, 2] = np.nan
    with pytest.raises(TrainingError, match="NaN"):
        rank(scores, NOBODY, 1)
