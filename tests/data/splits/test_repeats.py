"""What people have again is held out, ranked and found."""

import numpy as np
import pytest
import scipy.sparse as sp

import recvae as rv
from recvae.data.reading import build_interactions
from recvae.errors import DataError


def period(*pairs):
    users, items = zip(*pairs, strict=True)
    return build_interactions(list(users), list(items))


FIRST = period(("a", 1), ("a", 1), ("a", 2), ("b", 2), ("b", 3))
SECOND = period(("a", 1), ("c", 3), ("a", 9))
THIRD = period(("c", 3), ("b", 2), ("b", 1), ("d", 1), ("b", 9))


@pytest.fixture
def split():
    return rv.split_repeats(FIRST, SECOND, THIRD)


def pairs(matrix, holdout):
    coo = matrix.tocoo()
    found = zip(holdout.user_ids[coo.row], holdout.item_ids[coo.col], coo.data, strict=True)
    return {(user, item): weight for user, item, weight in found}


def test_what_was_before_is_shown_and_all_of_a_period_is_held_out(split):
    assert split.train is FIRST
    validation, test = split.validation, split.test
    assert pairs(validation.fold_in, validation) == {("a", 1): 2, ("a", 2): 1}
    assert pairs(validation.held_out, validation) == {("a", 1): 1}
    assert pairs(test.fold_in, test) == {("b", 2): 1, ("b", 3): 1, ("c", 3): 1}
    assert pairs(test.held_out, test) == {("b", 2): 1, ("b", 1): 1, ("c", 3): 1}
    assert (validation.n_dropped, test.n_dropped) == (1, 1)
    assert not validation.exclude_seen


class Oracle:
    """Ranks what is in the history first, if it may."""

    def recommend(self, histories, k=10, *, rows=None, deny=None, exclude_seen=True):
        scores = histories.toarray() if not exclude_seen else -histories.toarray()
        order = np.argsort(-scores, axis=1, kind="stable")[:, :k]
        return order, np.take_along_axis(scores, order, axis=1)


def test_evaluation_lets_models_rank_what_was_seen(split):
    assert rv.evaluate(Oracle(), split.validation, "recall@1").mean["recall@1"] == 1


def test_a_comparison_is_of_lists_with_what_was_seen():
    rng = np.random.default_rng(0)
    own = sp.csr_matrix((rng.random((60, 20)) < 0.3).astype(np.float32))
    data = rv.Interactions.from_matrix(own[np.diff(own.indptr) > 0])
    split = rv.split_repeats(data, data, data)
    result = rv.compare({"als": rv.ImplicitALS(factors=4)}, split, metrics="precision@5")
    model = rv.ImplicitALS(factors=4).fit(data)
    ids, _ = model.recommend(data.matrix, 5, exclude_seen=False)
    found = np.take_along_axis(data.matrix.toarray() > 0, ids, axis=1)
    assert result.table["precision@5"].iloc[0] == pytest.approx(found.mean())
    assert found.any()  # in lists of new items none would be
    assert split.test.fingerprints()[-1] == "again"


def test_an_item_on_both_sides_needs_a_word():
    one = sp.csr_matrix([[1.0, 0.0]])
    with pytest.raises(DataError, match="If people have things again, pass exclude_seen=False"):
        rv.Holdout(one, one)
    assert rv.Holdout(one, one, exclude_seen=False).held_out.nnz == 1


def test_nobody_left():
    with pytest.raises(DataError, match="none of 1 users is left to judge a model by"):
        rv.split_repeats(FIRST, period(("z", 1)), THIRD)
