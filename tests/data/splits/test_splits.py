from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from hypothesis import given
from hypothesis import strategies as st

from recvae.data.interactions import Interactions
from recvae.data.reading import build_interactions, read_interactions
from recvae.data.splits import (
    Holdout,
    split_folds,
    split_interactions,
    split_last,
    split_time,
    split_users,
)
from recvae.errors import DataError, OptionError


def generated(seed, n_users=40, n_items=25, n=600):
    """Interactions in a random order of lines, with timestamps."""
    rng = np.random.default_rng(seed)
    cells = rng.choice(n_users * n_items, size=n, replace=False)
    users, items = np.divmod(cells, n_items)
    items = items**2 // n_items  # the more popular the smaller
    times = rng.integers(0, 1000, n)
    weights = rng.integers(1, 6, n)
    return build_interactions(users * 7 + 3, items * 2, weights, times, duplicates="last")


def ids_of(matrix, user_ids, item_ids):
    """The pairs of raw ids that a matrix has entries for."""
    coo = matrix.tocoo()
    return {*zip(user_ids[coo.row].tolist(), item_ids[coo.col].tolist(), strict=True)}


def parts(split):
    """Pairs of raw ids: training, then fold-in and held-out of validation, then of test."""
    items = split.train.item_ids
    pairs = [ids_of(split.train.matrix, split.train.user_ids, items)]
    for holdout in (split.validation, split.test):
        pairs.append(ids_of(holdout.fold_in, holdout.user_ids, items))
        pairs.append(ids_of(holdout.held_out, holdout.user_ids, items))
    return pairs


def everything(data):
    return ids_of(data.matrix, data.user_ids, data.item_ids)


def of_known_items(pairs, split):
    known = set(split.train.item_ids)
    return {(user, item) for user, item in pairs if item in known}


def of_users(pairs, users):
    some = set(users)
    return {(user, item) for user, item in pairs if user in some}


# split_users


def notebook_split(ratings, n_held_out, seed=98765):
    """Strong generalization in the words of pandas: training, then (fold-in, held-out) twice."""
    activity = ratings.groupby("user").size()
    users = activity.index.to_numpy()
    np.random.seed(seed)  # noqa: NPY002  (what the reference does)
    users = users[np.random.permutation(users.size)]  # noqa: NPY002
    train_users = users[: -2 * n_held_out]
    train = ratings[ratings["user"].isin(train_users)]
    known = ratings[ratings["item"].isin(train["item"].unique())]
    held_out = []
    for chosen in (users[-2 * n_held_out : -n_held_out], users[-n_held_out:]):
        np.random.seed(seed)  # noqa: NPY002
        folds, holds = [], []
        for _, group in known[known["user"].isin(chosen)].groupby("user"):
            mark = np.zeros(len(group), dtype=bool)
            if len(group) >= 5:
                n = int(0.2 * len(group))
                mark[np.random.choice(len(group), size=n, replace=False)] = True  # noqa: NPY002
                folds.append(group[~mark])
                holds.append(group[mark])
        held_out += [pd.concat(folds), pd.concat(holds)]
    return [{*zip(t["user"], t["item"], strict=True)} for t in (train, *held_out)]


@pytest.mark.parametrize("seed", [98765, 1])
def test_users_are_split_as_in_the_reference(seed):
    rng = np.random.default_rng(seed)
    users, items = np.divmod(rng.choice(120 * 60, size=1500, replace=False), 60)
    ratings = pd.DataFrame({"user": users * 3 + 5, "item": items**2, "value": 1})
    data = build_interactions(ratings["user"], ratings["item"])
    split = split_users(data, 20, 20, seed=seed)
    assert parts(split) == notebook_split(ratings, 20, seed)


def read_movielens_1m(folder):
    # Split at one colon of two, every other column is empty.
    columns = pd.read_csv(folder / "ml-1m" / "ratings.dat", sep=":", header=None, usecols=[0, 2, 4])
    return columns.set_axis(["user", "item", "value"], axis=1)


@pytest.fixture(scope="module")
def movielens_ratings(real_data):
    ratings = read_movielens_1m(real_data).query("value >= 4")
    return ratings[ratings.groupby("user")["item"].transform("size") >= 5]


@pytest.fixture(scope="module")
def movielens(real_data):
    table = read_movielens_1m(real_data)
    data = build_interactions(table["user"], table["item"], table["value"])
    return data.filter(min_weight=4, min_user_items=5)


def test_movielens_1m_is_split_as_in_the_reference(movielens, movielens_ratings):
    split = split_users(movielens, 1000, 1000)
    assert split.train.shape == (4034, 3468)
    assert (split.validation.n_dropped, split.test.n_dropped) == (0, 0)
    assert parts(split) == notebook_split(movielens_ratings, 1000)


def test_popularity_on_movielens_1m_is_what_was_measured_elsewhere(movielens):
    split = split_users(movielens, 1000, 1000)
    scores = np.tile(np.asarray((split.train.matrix > 0).sum(axis=0), dtype=float), (1000, 1))
    scores[split.test.fold_in.nonzero()] = -1
    top = np.argsort(-scores, axis=1, kind="stable")[:, :100]
    hits = np.take_along_axis(split.test.held_out.toarray() > 0, top, axis=1)
    n = np.diff(split.test.held_out.indptr)
    gains = 1 / np.log2(np.arange(2, 102))
    ndcg = hits @ gains / np.cumsum(gains)[np.minimum(n, 100) - 1]
    recalls = [(hits[:, :k].sum(axis=1) / np.minimum(n, k)).mean() for k in (20, 50)]
    assert [recalls[0], ndcg.mean()] == pytest.approx([0.1701, 0.2171], abs=5e-5)
    # In whatever order equally popular items come, this one moves between .2443 and .2447.
    assert recalls[1] == pytest.approx(0.2447, abs=4e-4)


SEEDS = st.integers(0, 2**31)


@given(SEEDS, st.sampled_from([0.2, 0.35, 0.5]))
def test_split_users_leaks_nothing(seed, share):
    data = generated(seed % 5)
    split = split_users(data, 8, 10, seed=seed, held_out=share)
    train, *held_out = parts(split)
    everyone = everything(data)
    trained = set(split.train.user_ids)
    assert len(trained) == 22
    assert train == {pair for pair in everyone if pair[0] in trained}
    for holdout, fold_in, ranked, n in zip(
        (split.validation, split.test), held_out[::2], held_out[1::2], (8, 10), strict=True
    ):
        users = set(holdout.user_ids)
        assert not users & trained
        assert len(users) + holdout.n_dropped == n
        assert not fold_in & ranked
        assert fold_in | ranked == of_known_items(
            {pair for pair in everyone if pair[0] in users}, split
        )
        sizes = np.diff(holdout.fold_in.indptr) + np.diff(holdout.held_out.indptr)
        np.testing.assert_array_equal(
            np.diff(holdout.held_out.indptr), [int(share * size) for size in sizes]
        )
        assert holdout.user_ids.is_monotonic_increasing
        assert holdout.rows is None
    assert not set(split.validation.user_ids) & set(split.test.user_ids)


def test_split_users_draws_in_the_order_of_the_source():
    users = np.repeat(np.arange(9), 10)
    items = np.tile(np.arange(10), 9)
    forth = split_users(build_interactions(users, items), 2, 2)
    back = split_users(build_interactions(users, items[::-1]), 2, 2)
    np.testing.assert_array_equal(
        back.test.held_out.toarray(), forth.test.held_out.toarray()[:, ::-1]
    )


def test_split_users_does_not_depend_on_the_order_of_rows():
    data = generated(3)
    turned = data.select_users(np.arange(40)[::-1])
    assert parts(split_users(turned, 8, 10)) == parts(split_users(data, 8, 10))


def test_split_users_keeps_weights():
    data = generated(4)
    split = split_users(data, 8, 10)
    whole = (split.test.fold_in + split.test.held_out).toarray()
    rows = data.user_ids.get_indexer(split.test.user_ids)
    columns = data.item_ids.get_indexer(split.train.item_ids)
    np.testing.assert_array_equal(whole, data.matrix.toarray()[np.ix_(rows, columns)])


@pytest.mark.parametrize(("n_validation", "n_test"), [(20, 20), (0, 5), (5, 0), (50, -20)])
def test_split_users_with_too_many_or_too_few(n_validation, n_test):
    with pytest.raises(OptionError, match="there are 40 users"):
        split_users(generated(0), n_validation, n_test)


@pytest.mark.parametrize("share", [0, 1, -0.2])
def test_split_users_with_an_impossible_share(share):
    with pytest.raises(OptionError, match="held_out"):
        split_users(generated(0), 5, 5, held_out=share)


def test_split_users_of_users_with_too_few_items():
    data = build_interactions(np.repeat(np.arange(9), 4), np.tile(np.arange(4), 9))
    with pytest.raises(DataError, match="none of 2 users is left to judge"):
        split_users(data, 2, 2)


# split_folds


@pytest.mark.slow
@given(SEEDS, st.integers(2, 7), st.integers(1, 15))
def test_split_folds_tests_every_user_once(seed, n_folds, n_validation):
    data = generated(seed % 5)
    everyone = everything(data)
    splits = split_folds(data, n_folds, n_validation, seed=seed)
    assert len(splits) == n_folds
    tested = [user for split in splits for user in split.test.user_ids]
    dropped = sum(split.test.n_dropped for split in splits)
    assert len(set(tested)) == len(tested) == 40 - dropped
    for split in splits:
        groups = [split.train.user_ids, split.validation.user_ids, split.test.user_ids]
        counts = [len(groups[0])] + [
            len(holdout.user_ids) + holdout.n_dropped for holdout in (split.validation, split.test)
        ]
        assert len(set().union(*groups)) == sum(map(len, groups))
        assert sum(counts) == 40
        assert counts[1] == n_validation
        assert counts[2] in (40 // n_folds, -(-40 // n_folds))
        train, *held_out = parts(split)
        assert train == of_users(everyone, groups[0])
        for users, fold_in, ranked in zip(groups[1:], held_out[::2], held_out[1::2], strict=True):
            known = of_known_items(of_users(everyone, users), split)
            assert fold_in | ranked == known
            assert not fold_in & ranked


def test_the_last_fold_is_what_split_users_gives():
    data = generated(1)
    for n_folds, n_test in ((5, 8), (7, 5)):
        last = split_folds(data, n_folds, 6, seed=3)[-1]
        assert parts(last) == parts(split_users(data, 6, n_test, seed=3))


def test_by_default_there_are_five_folds_and_a_fifth_validates():
    data = Interactions.from_matrix(sp.csr_matrix(np.ones((50, 12), dtype=np.float32)))
    splits = split_folds(data)
    shapes = [
        (split.train.shape[0], *(part.fold_in.shape[0] for part in (split.validation, split.test)))
        for split in splits
    ]
    assert shapes == [(30, 10, 10)] * 5


@pytest.mark.parametrize("n_folds", [0, 1, 41, 2.5])
def test_numbers_of_folds_that_can_not_be(n_folds):
    with pytest.raises(OptionError, match=f"n_folds={n_folds} must be from 2 to the 40 users"):
        split_folds(generated(0), n_folds)


@pytest.mark.parametrize("arguments", [(2, 20), (5, 0), (5, 4.0)])
def test_users_of_folds_that_can_not_be(arguments):
    with pytest.raises(OptionError, match="n_validation"):
        split_folds(generated(0), *arguments)


def test_as_many_folds_as_users():
    data = Interactions.from_matrix(sp.csr_matrix(np.ones((8, 5), dtype=np.float32)))
    splits = split_folds(data, 8, 1)
    assert sorted(int(split.test.user_ids[0]) for split in splits) == list(range(8))


# split_interactions


def check_per_user(data, split):
    """What every per-user hold-out must fulfil."""
    train, fold_validation, validation, fold_test, test = parts(split)
    assert split.train.user_ids.equals(data.user_ids)
    assert not train & validation
    assert not (train | validation) & test
    assert fold_validation <= train
    assert fold_test <= train | validation
    assert train | validation | test == of_known_items(everything(data), split)
    assert {item for _, item in train} == set(split.train.item_ids)
    for holdout, seen in ((split.validation, train), (split.test, train | validation)):
        assert holdout.item_ids.equals(split.train.item_ids)
        users = set(holdout.user_ids)
        assert split.train.user_ids[holdout.rows].equals(holdout.user_ids)
        assert len(users) + holdout.n_dropped == len(data.user_ids)
        shown = ids_of(holdout.fold_in, holdout.user_ids, split.train.item_ids)
        assert shown == {pair for pair in seen if pair[0] in users}


@given(SEEDS, st.floats(0.2, 0.45), st.floats(0.2, 0.45))
def test_split_interactions_leaks_nothing(seed, validation, test):
    data = generated(seed % 5)
    check_per_user(data, split_interactions(data, validation=validation, test=test, seed=seed))


def test_split_interactions_holds_out_the_share_of_each_user():
    lengths = np.array([1, 4, 5, 9, 10, 20, 37])
    users = np.repeat(np.arange(7), lengths)
    items = np.concatenate([np.arange(length) for length in lengths])
    everyone = np.repeat(np.arange(7, 107), 37)  # so that every item is trained on
    data = build_interactions(
        np.concatenate([users, everyone]), np.concatenate([items, np.tile(np.arange(37), 100)])
    )
    split = split_interactions(data, validation=0.1, test=0.2)
    held_out = {
        int(user): int(n)
        for user, n in zip(split.test.rows, np.diff(split.test.held_out.indptr), strict=True)
    }
    assert {user: held_out.get(user, 0) for user in range(7)} == dict(
        enumerate((0.2 * lengths).astype(int))
    )
    assert split.test.n_dropped == 2
    assert split.validation.n_dropped == 4


def test_split_interactions_draws_every_item_equally_often():
    data = build_interactions(np.repeat(np.arange(2000), 10), np.tile(np.arange(10), 2000))
    split = split_interactions(data)
    for holdout in (split.validation, split.test):
        counts = np.asarray(holdout.held_out.sum(axis=0)).ravel()
        assert counts.sum() == 2000
        np.testing.assert_allclose(counts, 200, atol=5 * np.sqrt(180))


@pytest.mark.parametrize("fractions", [(0.5, 0.5), (0, 0.1), (0.1, -0.1), (1.1, 0.1)])
def test_split_interactions_with_impossible_fractions(fractions):
    with pytest.raises(OptionError, match="fractions above 0"):
        split_interactions(generated(0), validation=fractions[0], test=fractions[1])


@pytest.mark.parametrize(
    "split",
    [
        lambda d, s: split_users(d, 8, 8, seed=s),
        lambda d, s: split_folds(d, 5, 8, seed=s)[2],
        lambda d, s: split_interactions(d, seed=s),
    ],
)
def test_random_splits_are_the_same_for_a_seed_and_differ_between_seeds(split):
    state = np.random.get_state()[1].copy()  # noqa: NPY002
    one, again, other = (parts(split(generated(0), seed)) for seed in (1, 1, 2))
    assert one == again
    assert one != other
    np.testing.assert_array_equal(np.random.get_state()[1], state)  # noqa: NPY002


# split_last


def from_drawing(drawing):
    """Interactions of users a, b, ... with the drawn numbers as timestamps; "." is unseen."""
    rows = [line.split() for line in drawing.strip().splitlines()]
    lines = [
        ("abcdef"[row], column, int(time))
        for row, times in enumerate(rows)
        for column, time in enumerate(times)
        if time != "."
    ]
    users, items, times = zip(*lines, strict=True)
    return build_interactions(users, items, timestamps=times)


def drawn(split):
    """Each part as a drawing, by user."""
    people = [split.train.user_ids, split.validation.user_ids, split.test.user_ids]
    pictures = [{user: [*"." * split.train.shape[1]] for user in users} for users in people]
    for pairs, where, letter in zip(parts(split), (0, 1, 1, 2, 2), "Tfhfh", strict=True):
        for user, item in pairs:
            pictures[where][user][split.train.item_ids.get_loc(item)] = letter
    return [{user: "".join(row) for user, row in picture.items()} for picture in pictures]


def test_split_last_as_drawn():
    split = split_last(
        from_drawing("""
            1 2 4 3
            3 . 1 2
            . . 1 2
        """)
    )
    train, validation, test = drawn(split)
    assert train == {"a": "TT..", "b": "..T.", "c": "..TT"}
    assert validation == {"a": "ff.h", "b": "..fh"}
    assert test == {"a": "ffhf", "b": "h.ff"}
    assert (split.validation.n_dropped, split.test.n_dropped) == (1, 1)
    assert split.test.rows.tolist() == [0, 1]


@pytest.mark.parametrize("lines", [[*range(7)], [*range(6, -1, -1)], [3, 0, 5, 6, 1, 4, 2]])
def test_split_last_knows_the_order_within_a_second(lines):
    table = pd.DataFrame({"user": [*"ababab", "c"], "item": [1, 3, 2, 2, 3, 1, 2]})
    table["when"] = pd.Timestamp("2026-01-01") + pd.to_timedelta(range(7), unit="us")
    train, validation, test = drawn(
        split_last(read_interactions(table.loc[lines], timestamp="when"))
    )
    assert train == {"a": "T..", "b": "..T", "c": ".T."}
    assert validation == {"a": "fh.", "b": ".hf"}
    assert test == {"a": "ffh", "b": "hff"}


@given(SEEDS)
def test_split_last_leaks_nothing(seed):
    data = generated(seed, n=200)
    split = split_last(data)
    check_per_user(data, split)
    when = dict(
        zip(
            zip(data.user_ids[data.rows], data.item_ids[data.matrix.indices], strict=True),
            zip(data.timestamps, data.positions, strict=True),
            strict=True,
        )
    )
    train, _, validation, _, test = parts(split)
    last_trained = {}
    for pair in train:
        last_trained[pair[0]] = max(last_trained.get(pair[0], (0, 0)), when[pair])
    held_out = {user: when[user, item] for user, item in validation}
    assert len(held_out) == len(validation)
    assert all(last_trained[user] < time for user, time in held_out.items())
    assert all(held_out.get(user, last_trained[user]) < when[user, item] for user, item in test)


def test_split_last_breaks_ties_by_line():
    data = build_interactions(
        ["a"] * 3 + ["b"] * 3, [3, 1, 2, 1, 2, 3], timestamps=[5, 5, 5, 1, 2, 3]
    )
    split = split_last(data.select_users(np.array([0, 1])))
    train, _, validation, _, test = parts(split)
    assert train == {("a", 3), ("b", 1)}
    assert validation == {("a", 1)}  # b's item 2 is one that nobody is trained on
    assert test == {("b", 3)}


@pytest.mark.parametrize("order", [[0, 1, 2], [2, 1, 0], [1, 2, 0]])
def test_split_last_and_time_see_what_happened_within_a_second(order):
    times = pd.Timestamp("2026-01-01") + pd.to_timedelta([1, 2, 3], unit="ms")
    table = pd.DataFrame({"user": "a", "item": ["x", "y", "z"], "when": times}).iloc[order]
    others = table.assign(user=["b", "c", "d"], when=pd.Timestamp("2025-01-01"))
    table = pd.concat([table, others])
    data = build_interactions(table["user"], table["item"], timestamps=table["when"])
    for split in (split_last(data), split_time(data, times[1], str(times[2]))):
        train, _, validation, _, test = (
            {item for user, item in part if user == "a"} for part in parts(split)
        )
        assert (train, validation, test) == ({"x"}, {"y"}, {"z"})


# split_time


PERIODS = """
    1 1 2 3
    . 3 1 1
    2 . 3 .
"""


@pytest.mark.parametrize(
    ("validation_from", "test_from"),
    [
        (2, 3),
        (2.0, 3.0),
        ("1970-01-01 00:00:02", pd.Timestamp("1970-01-01 01:00:03+01:00")),
        (np.datetime64(2, "s"), np.int64(3)),
    ],
)
def test_split_time_as_drawn(validation_from, test_from):
    data = from_drawing(PERIODS)
    split = split_time(data, validation_from, test_from)
    train, validation, test = drawn(split)
    assert train == {"a": "TT..", "b": "..TT"}
    assert validation == {"a": "ffh."}
    assert test == {"a": "fffh", "b": ".hff", "c": "f.h."}
    assert (split.validation.n_dropped, split.test.n_dropped) == (1, 0)
    assert split.test.rows is None


@given(SEEDS, st.integers(200, 400), st.integers(600, 800))
def test_split_time_leaks_nothing(seed, start, end):
    data = generated(seed, n=200)
    split = split_time(data, start, end)
    when = dict(
        zip(
            zip(data.user_ids[data.rows], data.item_ids[data.matrix.indices], strict=True),
            data.timestamps,
            strict=True,
        )
    )
    train, *held_out = parts(split)
    assert train == {pair for pair, time in when.items() if time < start}
    assert {user for user, _ in train} == set(split.train.user_ids)
    known = set(split.train.item_ids)
    assert known == {item for _, item in train}
    for holdout, fold_in, ranked, first, last in (
        (split.validation, *held_out[:2], start, end),
        (split.test, *held_out[2:], end, np.inf),
    ):
        seen = {(u, i) for (u, i), time in when.items() if time < first and i in known}
        new = {(u, i) for (u, i), time in when.items() if first <= time < last and i in known}
        users = {u for u, _ in seen} & {u for u, _ in new}
        assert set(holdout.user_ids) == users
        assert fold_in == {pair for pair in seen if pair[0] in users}
        assert ranked == {pair for pair in new if pair[0] in users}
        active = {u for (u, _), time in when.items() if first <= time < last}
        assert holdout.n_dropped == len(active - users)


def test_split_time_at_impossible_moments():
    data = from_drawing(PERIODS)
    with pytest.raises(OptionError, match="validation_from=3 must be before test_from=2"):
        split_time(data, 3, 2)
    with pytest.raises(OptionError, match="validation_from=2 must be before test_from=2"):
        split_time(data, 2, 2)
    with pytest.raises(OptionError, match="'soon' is no point in time"):
        split_time(data, 2, "soon")
    with pytest.raises(DataError, match="test period: they are from 1970-01-01 00:00:01 to"):
        split_time(data, 2, "2018")
    with pytest.raises(DataError, match="training period"):
        split_time(data, 1, 2)


def test_split_time_takes_seconds_as_text():
    data = from_drawing(PERIODS)
    data = replace(data, timestamps=data.timestamps + 1_000_000_000)
    assert drawn(split_time(data, "1000000002", "1000000003"))[0] == {"a": "TT..", "b": "..TT"}


def test_split_time_takes_dates_of_digits():
    """They are dates, and not so many seconds since 1970."""
    times = [int(pd.Timestamp(f"2018-04-{day}").timestamp()) for day in (22, 23, 24, 22, 22, 22)]
    data = build_interactions(["a"] * 3 + ["b"] * 3, [1, 2, 3] * 2, timestamps=times)
    train, validation, test = drawn(split_time(data, "20180423", "20180424"))
    assert train == {"a": "T..", "b": "TTT"}
    assert validation == {"a": "fh."}
    assert test == {"a": "ffh"}


@pytest.mark.parametrize("unit", [10**3, 10**6, 10**9, -(10**3)])
def test_split_time_of_no_seconds(unit):
    first, last = sorted([10**9 * unit, 10**9 * unit + 1])
    data = build_interactions([1, 1], [1, 2], timestamps=[first, last])
    said = f"timestamps must be seconds since 1970, and these are from {first} to {last}"
    with pytest.raises(DataError, match=f"period: {said}"):
        split_time(data, "2018", "2019")


def test_split_time_of_the_last_second_that_is_one():
    data = build_interactions([1, 1], [1, 2], timestamps=[-(2**33), 2**33])
    with pytest.raises(DataError, match=r"validation period: they are from 1697-.* to 2242-"):
        split_time(data, "2018", "2019")
    data = build_interactions([1, 1], [1, 2], timestamps=[0, 2**33 + 1])
    with pytest.raises(DataError, match=r"must be seconds since 1970.* from 0 to 8589934593"):
        split_time(data, "2018", "2019")


@pytest.mark.parametrize("split", [split_last, lambda data: split_time(data, 1, 2)])
def test_splits_by_time_need_times(split):
    for timeless in (build_interactions([1, 1], [1, 2]), sp.csr_matrix([[1, 1]])):
        with pytest.raises(DataError, match="no timestamps"):
            split(timeless)
    with pytest.raises(DataError, match="all timestamps are the same"):
        split(build_interactions([1, 1], [1, 2], timestamps=[0, 0]))


@pytest.mark.parametrize(
    "split", [split_interactions, split_users, lambda data: split_folds(data, 2)[-1]]
)
def test_random_splits_drop_items_of_held_out_pairs_alone_and_keep_those_nobody_has(split):
    own = sp.identity(40)  # an item for each user, which is dropped if it is not for training
    dense = np.hstack([generated(1).matrix.toarray(), own.toarray(), np.zeros((40, 1))])
    result = split(sp.csr_matrix(dense))
    counts = result.train.item_counts
    assert result.train.item_ids[counts == 0].tolist() == [dense.shape[1] - 1]
    assert len(counts) < dense.shape[1]
    assert result.test.held_out.shape[1] == result.train.shape[1]


# Holdout


def test_a_holdout_takes_any_sparse_matrices():
    holdout = Holdout(sp.coo_matrix([[1, 0]]), sp.csc_array([[0, 2]]))
    assert holdout.held_out.toarray().tolist() == [[0, 2]]
    assert {type(holdout.fold_in), type(holdout.held_out)} == {sp.csr_matrix}


def test_a_holdout_takes_lists_of_rows_and_of_ids():
    parts = sp.csr_matrix([[1, 0], [0, 1]]), sp.csr_matrix([[0, 2], [0, 0]])
    holdout = Holdout(*parts, rows=np.array([7, 5], dtype=np.int32), user_ids=["a", "b"])
    assert (holdout.rows.tolist(), holdout.rows.dtype) == ([7, 5], np.int64)
    assert holdout.user_ids.equals(pd.Index(["a", "b"]))
    with pytest.raises(DataError, match="user_ids names 3 users, fold_in has 2"):
        Holdout(*parts, user_ids=["a", "b", "c"])


@pytest.mark.parametrize("split", [split_users, split_interactions])
def test_held_out_users_keep_what_they_dislike(split):
    data = generated(3).filter(min_weight=3)
    disliked = ids_of(data.disliked, data.user_ids, data.item_ids)
    told = split(data)
    for part in (told.validation, told.test):
        own = ids_of(part.disliked, part.user_ids, part.item_ids)
        assert own == {(u, i) for u, i in disliked if u in part.user_ids and i in part.item_ids}
        assert own
        assert not part.without_disliked
    without = told.without_disliked()
    assert without.validation.without_disliked
    assert without.test.without_disliked
    assert without.test.fingerprints()[:2] == told.test.fingerprints()
    (left_out,) = without.test.fingerprints()[2:]
    assert left_out == Interactions.from_matrix(told.test.disliked).fingerprint()
    plain = split(replace(data, disliked=None))
    assert plain.test.fingerprints() == told.test.fingerprints()
    assert plain.train.fingerprint() == told.train.fingerprint()


def test_dislikes_of_unknown_times_are_not_left_out():
    data = generated(3).filter(min_weight=3)
    middle = int(np.median(data.timestamps))
    timed = split_last(data), split_time(data, middle, middle + 99)
    for told in (*timed, split_users(generated(3))):
        assert told.test.disliked is None
        with pytest.raises(DataError, match="nothing is known of what these users dislike"):
            told.without_disliked()


def test_what_is_no_holdout():
    split = split_users(generated(0), 5, 5)
    Holdout.require(split.test)
    with pytest.raises(DataError, match=r"expected a Holdout, .* got Split"):
        Holdout.require(split)


@pytest.mark.parametrize(
    ("fold_in", "held_out", "rows", "message"),
    [
        ([[1, 0]], [[0, 1, 0]], None, "must be .users, items. of the same"),
        ([[1, 1]], [[0, 1]], None, "1 entries are in fold_in and in held_out"),
        ([[1, 0]], [[0, 1]], np.arange(2), "rows names 2 users, fold_in has 1"),
    ],
)
def test_a_holdout_that_can_not_be(fold_in, held_out, rows, message):
    with pytest.raises(DataError, match=message):
        Holdout(sp.csr_matrix(fold_in), sp.csr_matrix(held_out), rows=rows)


def test_by_default_a_fifth_validates_and_a_fifth_tests():
    data = Interactions.from_matrix(sp.csr_matrix(np.ones((50, 12), dtype=np.float32)))
    split = split_users(data)
    parts = (split.train.matrix, split.validation.fold_in, split.test.fold_in)
    assert [part.shape[0] for part in parts] == [30, 10, 10]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"n_validation": 2.0}, "must be whole numbers"),
        ({"n_test": "2"}, "must be whole numbers"),
        ({"seed": 0.5}, "must be whole numbers"),
        ({"seed": -1}, "seed=-1 must be from 0 to"),
        ({"seed": 2**32}, "seed=4294967296 must be from 0 to"),
    ],
)
def test_arguments_of_split_users_that_can_not_be(arguments, said):
    with pytest.raises(OptionError, match=said):
        split_users(generated(0), **arguments)


def test_of_many_users_a_thousand_validate_and_a_thousand_test():
    data = Interactions.from_matrix(sp.csr_matrix(np.ones((5003, 5), dtype=np.float32)))
    split = split_users(data)
    parts = (split.train.matrix, split.validation.fold_in, split.test.fold_in)
    assert [part.shape[0] for part in parts] == [3003, 1000, 1000]


@pytest.mark.parametrize(
    "split",
    [split_users, split_interactions, lambda *given, **seed: split_folds(*given, **seed)[2]],
)
def test_the_seed_of_the_paper_is_the_default(split):
    assert parts(split(generated(3))) == parts(split(generated(3), seed=98765))


@pytest.mark.parametrize("seed", [0, 2**32 - 1])
def test_the_least_and_the_greatest_seed(seed):
    assert split_users(generated(0), 5, 5, seed=seed).train.shape[0] == 30
