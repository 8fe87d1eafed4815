"""What people have again is held out, ranked and found."""

import numpy as np
import pandas as pd
import polars as pl
import pytest
import scipy.sparse as sp

import recvae as rv
from recvae.errors import DataError, OptionError

FIRST = ("a", 1), ("a", 1), ("a", 2), ("b", 2), ("b", 3)
SECOND = ("a", 1), ("c", 3), ("a", 9)
THIRD = ("c", 3), ("b", 2), ("b", 1), ("d", 1), ("b", 9)
TIMES = {"validation_from": "2026-03-02", "test_from": "2026-03-03"}


def lines(*periods):
    """A table of the periods' pairs, each at noon of a day, in no order."""
    parts = [pd.DataFrame(period, columns=["user", "item"]) for period in periods]
    days = pd.date_range("2026-03-01 12:00", periods=len(parts))
    table = pd.concat([part.assign(when=day) for part, day in zip(parts, days, strict=True)])
    return table.sample(frac=1, random_state=0)


def split_of(table, **options):
    return rv.split_repeats(table, **TIMES, timestamp="when", **options)


@pytest.fixture
def split():
    return split_of(lines(FIRST, SECOND, THIRD))


def pairs(matrix, holdout):
    coo = matrix.tocoo()
    found = zip(holdout.user_ids[coo.row], holdout.item_ids[coo.col], coo.data, strict=True)
    return {(user, item): weight for user, item, weight in found}


def test_what_was_before_is_shown_and_all_of_a_period_is_held_out(split):
    expected = rv.read_interactions(lines(FIRST)).fingerprint()
    assert split.train.fingerprint() == expected
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


def test_any_table_and_options_of_reading(split, tmp_path):
    table = lines(FIRST, SECOND, THIRD)
    table.rename(columns={"user": "who"}).to_csv(tmp_path / "plays.csv", index=False)
    dated = split_of(pl.from_pandas(table.assign(user=table["user"].astype("category"))))
    for other in (split_of(tmp_path / "plays.csv", user="who"), dated):
        assert other.train.fingerprint() == split.train.fingerprint()
        assert other.test.fingerprints() == split.test.fingerprints()
    weighed = table.assign(n=2.0)
    weighed.loc[weighed["when"].dt.day == 3, "n"] = 1.0
    of_counts = {"value": "n", "duplicates": "sum"}
    few = split_of(lines(FIRST, (*SECOND, ("a", 2)), THIRD), min_item_users=2)
    assert set(few.train.item_ids) == {2}  # filters are of training
    assert pairs(few.test.held_out, few.test) == {("b", 2): 1}
    counted = split_of(weighed, **of_counts)
    assert pairs(counted.validation.fold_in, counted.validation) == {("a", 1): 4, ("a", 2): 2}
    with pytest.raises(DataError, match="is left"):
        split_of(weighed, **of_counts, min_weight=2)  # and this of every period


def test_evaluation_lets_models_rank_what_was_seen(split):
    assert rv.evaluate(Oracle(), split.validation, "recall@1").mean["recall@1"] == 1


def test_a_comparison_is_of_lists_with_what_was_seen():
    rng = np.random.default_rng(0)
    own = sp.csr_matrix((rng.random((60, 20)) < 0.3).astype(np.float32))
    data = rv.Interactions.from_matrix(own[np.diff(own.indptr) > 0])
    table = pd.DataFrame({"user": data.rows, "item": data.matrix.indices})
    split = split_of(pd.concat([table.assign(when=f"2026-03-0{n}") for n in (1, 2, 3)]))
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
        split_of(lines(FIRST, [("z", 1)], THIRD))


def test_periods_are_as_of_split_time():
    with pytest.raises(DataError, match="no interaction is in the test period"):
        split_of(lines(FIRST, SECOND))
    with pytest.raises(OptionError, match="must be before test_from"):
        rv.split_repeats(lines(FIRST), "2026-03-02", "2026-03-01", timestamp="when")
