"""Lists by way of a shortlist are the lists of all scores."""

import numpy as np
import pytest
import scipy.sparse as sp
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from recvae.engine import devices
from recvae.errors import TrainingError
from recvae.ranking import shortlist
from recvae.ranking.shortlist import Products, Shortlist
from recvae.ranking.top_k import top_k

USERS, ITEMS, WIDTH, K = 60, 700, 24, 5


@pytest.fixture(autouse=True)
def small(monkeypatch):
    """Shortlists for few users, on any processor; torch multiplies int8 on all of them."""
    monkeypatch.setattr(shortlist, "LEAST_USERS", 1)
    monkeypatch.setattr(devices, "multiplies_int8", lambda _: True)


def drawn(seed=0, kind="normal", width=WIDTH):
    """Vectors of users and of items, and biases."""
    rng = np.random.default_rng(seed)
    sizes = {"users": (USERS, width), "items": (ITEMS, width), "biases": (ITEMS,)}
    match kind:
        case "whole":  # their products are exact in float32, and many are equal
            parts = [rng.integers(-2, 3, size) for size in sizes.values()]
        case "heavy":
            parts = [rng.standard_t(1.5, size) for size in sizes.values()]
        case "lengths":
            parts = [rng.normal(size=size) for size in sizes.values()]
            parts[0] *= 10.0 ** rng.integers(-30, 15, (USERS, 1))
            parts[1] *= 10.0 ** rng.integers(-6, 6, (ITEMS, 1))
        case "zeros":
            parts = [rng.normal(size=size) * (rng.random(size) < 0.1) for size in sizes.values()]
            parts[0][::3] = 0
        case "alike":  # no item stands out by more than the rounding
            parts = [np.ones(size) + 1e-4 * rng.normal(size=size) for size in sizes.values()]
        case _:
            parts = [rng.normal(size=size) for size in sizes.values()]
    return [torch.from_numpy(np.asarray(part, dtype=np.float32)) for part in parts]


KINDS = ("normal", "whole", "heavy", "lengths", "zeros", "alike")


def some_seen(seed=0):
    return sp.random(USERS, ITEMS, 0.05, "csr", np.float32, random_state=seed)


class Ranking:
    """Lists of the same scores with and without a shortlist; `scored` counts the users of both."""

    def __init__(self, users, items, biases, seen, popular=None, extra=None):
        self.parts, self.seen, self.popular = (users, items, biases), seen, popular
        self.extra = extra
        self.scored = 0

    def score(self, histories, rows):
        users, items, biases = self.parts
        self.scored += len(rows)
        scores = users[rows] @ items.T + biases
        if self.extra is not None:
            scores += torch.from_numpy(self.extra(histories).toarray())
        if self.popular is not None:
            scores[np.diff(histories.indptr) == 0] = self.popular
        return scores

    def plain(self, k=K, **limits):
        return top_k(self.score, self.seen, k, rows=np.arange(USERS), **limits)

    def short(self, k=K, **limits):
        self.scored = 0
        users, items, biases = self.parts
        products = Products(lambda _, rows: users[rows], items, biases, self.extra)
        rows = np.arange(USERS)
        return top_k(self.score, self.seen, k, rows=rows, products=lambda: products, **limits)


def assert_same(ranking, one, other):
    """Equal lists, but for items whose scores float32 can't tell apart."""
    users, items, biases = (part.double() for part in ranking.parts)
    scores = (users @ items.T + biases).numpy()
    rounding = 1e-6 * (users.norm(dim=1)[:, None] * items.norm(dim=1).max() + biases.abs().max())
    filled = one[0] >= 0
    np.testing.assert_array_equal(filled, other[0] >= 0)
    own, others = (np.take_along_axis(scores, ids.clip(0), axis=1) for ids in (one[0], other[0]))
    assert (np.abs(own - others)[filled] <= np.broadcast_to(rounding, own.shape)[filled]).all()
    assert (np.abs(one[1] - own)[filled] <= np.broadcast_to(rounding, own.shape)[filled]).all()
    assert all(len(set(row[row >= 0])) == (row >= 0).sum() for row in one[0])


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("width", [1, 7, WIDTH, 600])
def test_rough_scores_are_within_the_bound(kind, width):
    users, items, biases = drawn(kind=kind, width=width)
    cells, error = Shortlist(Products(lambda *_: users, items, biases)).rough(users)
    exact = users.double() @ items.double().T + biases.double()
    off = (cells.double() - exact).abs().amax(dim=1)
    assert (off <= error).all()
    if kind == "normal" and width == 600:
        assert (off > 0.05 * error).all()  # and the bound is no idle one


@pytest.mark.parametrize("kind", KINDS)
def test_lists_are_those_of_all_scores(kind):
    ranking = Ranking(*drawn(kind=kind), some_seen())
    assert_same(ranking, ranking.short(), ranking.plain())


@pytest.mark.parametrize("margin", [-2.0, -1.0, 0.0, 1.1])
def test_too_few_candidates_are_found_out(margin, monkeypatch):
    monkeypatch.setattr(shortlist, "MARGIN", margin)
    ranking = Ranking(*drawn(), some_seen())
    plain = ranking.plain()
    assert_same(ranking, ranking.short(), plain)
    assert (ranking.scored < USERS / 10) == (margin > 1)


def test_no_other_item_scores_more_than_the_rest():
    """Of rough scores that are as far off as they may be."""
    users, items, biases = drawn()
    exact, error = users @ items.T + biases, torch.full((USERS,), 3.0)
    off = 2 * torch.rand(exact.shape, generator=torch.Generator().manual_seed(0)) - 1
    short = Shortlist(Products(lambda *_: users, items, biases))
    scores, columns, rest = short.candidates(users, exact + 3 * off, error, K)
    rows, places = (scores > -torch.inf).nonzero(as_tuple=True)
    exact[rows, columns[rows, places]] = -torch.inf
    most = exact.amax(dim=1).numpy()
    assert (most < rest).all()
    assert (most > rest - 3).mean() > 0.5


def test_too_many_candidates_in_too_few_groups_are_found_out():
    ranking = Ranking(*drawn(), some_seen())
    two_groups = np.flatnonzero(np.arange(ITEMS) % (ITEMS // shortlist.GROUP) < 2)
    assert_same(ranking, ranking.short(3, allow=two_groups), ranking.plain(3, allow=two_groups))
    assert ranking.scored > USERS


@settings(deadline=None, max_examples=30)
@given(
    st.integers(0, 2**32),
    st.sampled_from([1, 5, 40]),
    st.sampled_from([0, 0.02, 0.5, 0.99]),
    st.booleans(),
)
def test_ties_and_limits_as_before(seed, k, share, allowing):
    rng = np.random.default_rng(seed)
    ranking = Ranking(*drawn(seed, "whole"), some_seen(seed % 1000))
    some = sp.csr_matrix(rng.random((USERS, ITEMS)) < share)
    limits = {"allow": some} if allowing else {"deny": some}
    ids, scores = ranking.short(k, **limits)
    expected_ids, expected = ranking.plain(k, **limits)
    np.testing.assert_array_equal(ids, expected_ids)
    np.testing.assert_array_equal(scores, expected)


@pytest.mark.parametrize("size", [1, 20])
def test_what_is_added_for_some_items(size):
    added = sp.random(ITEMS, ITEMS, 0.01, "csr", random_state=1).sign() * size

    def extra(histories):
        return (histories.sign() @ added).astype(np.float32)

    ranking = Ranking(*drawn(kind="whole"), some_seen(), extra=extra)
    (ids, scores), (expected_ids, expected) = ranking.short(), ranking.plain()
    np.testing.assert_array_equal(ids, expected_ids)
    np.testing.assert_array_equal(scores, expected)
    assert (Ranking(*ranking.parts, ranking.seen).plain()[0] != ids).mean() > 0.1


def test_blocks_without_a_candidate():
    nobody, seen = sp.csr_matrix((USERS, ITEMS), dtype=np.float32), some_seen()
    popular = torch.arange(float(ITEMS))
    extra = {"extra": lambda histories: histories.astype(np.float32)}
    ids, _ = Ranking(*drawn(), nobody, popular, **extra).short()
    assert (ids == np.arange(ITEMS - 1, ITEMS - 1 - K, -1)).all()
    assert (Ranking(*drawn(), seen, **extra).short(allow=[])[0] == -1).all()


def test_what_was_seen_never_comes_back():
    ranking = Ranking(*drawn(), some_seen())
    ids, _ = ranking.short()
    assert not ranking.seen.toarray()[np.arange(USERS)[:, None], ids].any()


def test_where_the_bound_tells_nothing_all_items_are_scored():
    ranking = Ranking(*drawn(kind="alike"), some_seen())
    ranking.short()
    assert ranking.scored == USERS
    ranking = Ranking(*drawn(), some_seen())
    ranking.short()
    assert ranking.scored < USERS / 10


def test_empty_histories_keep_the_scores_that_they_have():
    seen = some_seen().tolil()
    seen[::2] = 0
    ranking = Ranking(*drawn(), seen.tocsr(), popular=torch.arange(float(ITEMS)))
    ids, scores = ranking.short()
    assert ids[0].tolist() == list(range(ITEMS - 1, ITEMS - 1 - K, -1))
    assert scores[0].tolist() == ids[0].tolist()
    assert ranking.scored == USERS // 2


@pytest.mark.parametrize("part", [0, 1, 2])
def test_scores_that_are_no_numbers(part):
    parts = drawn()
    parts[part][3] = torch.nan
    with pytest.raises(TrainingError, match="NaN"):
        Ranking(*parts, some_seen()).short()


def test_none_where_it_does_not_pay_or_can_not_be(monkeypatch):
    users, items, biases = drawn()
    products = Products(lambda *_: users, items, biases)
    made = [
        Shortlist.of(lambda: products, USERS, ITEMS, K) is not None,
        Shortlist.of(lambda: products, USERS, ITEMS, ITEMS) is not None,
        Shortlist.of(lambda: products, USERS, 2 * ITEMS, K) is not None,  # a part of the items
        Shortlist.of(lambda: None, USERS, ITEMS, K) is not None,
    ]
    assert made == [True, False, False, False]
    monkeypatch.setattr(shortlist, "LEAST_USERS", USERS + 1)
    assert Shortlist.of(lambda: products, USERS, ITEMS, K) is None
    ranking = Ranking(users, items, biases, some_seen())
    monkeypatch.setattr(shortlist, "LEAST_USERS", 1)
    ranking.short(exclude_seen=False)
    assert ranking.scored == USERS  # scores are inner products but for the history's items
