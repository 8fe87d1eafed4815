"""Lists that are about more than accuracy, against a slow reference in plain Python."""

from itertools import combinations
from math import inf, log

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import entropy, zscore

from recvae.errors import OptionError
from recvae.ranking.rerank import (
    POOL,
    SMOOTHING,
    Boost,
    Calibration,
    Cap,
    Diversity,
    ItemTable,
    Pin,
    Reranker,
    pool_size,
)

COUNTS = np.array([7, 0, 2, 50, 50, 1])
IDS, SCORES = np.array([[3, 0, 5, 2]]), np.array([[4.0, 3.0, 2.0, 1.0]])
GENRES = ["Drama", "Drama|War", None, "Comedy", "War|Comedy", "Drama|"]
ITEMS = pd.DataFrame({"genres": GENRES, "margin": [0.1, np.nan, 3, 2, 1, 0]})
EMPTY = sp.csr_matrix((1, 6), dtype=np.float32)


def reranked(steps, ids=IDS, scores=SCORES, histories=EMPTY, k=4, items=ITEMS, counts=COUNTS):
    reranker = Reranker(steps, ItemTable(items, counts))
    reranker.require()
    return reranker(histories, ids, scores, k)


def ordered(*steps, **given):
    """The columns of the one list there is."""
    return reranked(steps, **given)[0][0].tolist()


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
def test_towards_the_popular_or_the_niche(niche, expected):
    assert ordered(Boost(-niche)) == expected


def test_boost_by_a_column_of_the_items():
    """A missing number counts as the mean of all."""
    assert ordered(Boost(1, "margin")) == [2, 3, 0, 5]
    assert ordered(Boost(-1, "margin")) == [5, 0, 3, 2]
    assert ordered(Boost(1, "margin"), ids=np.array([[3, 1, 0, 4]])) == [3, 1, 4, 0]


@pytest.mark.parametrize("kind", ["Float64", "Int64", "boolean"])
def test_boost_by_numbers_of_any_kind(kind):
    margins = pd.DataFrame({"margin": pd.array([0, None, 1, 0, 1, 0], dtype=kind)})
    assert ordered(Boost(1, "margin"), items=margins)[0] == 2


def test_an_infinite_number_counts_as_a_missing_one():
    margins = ITEMS.assign(margin=ITEMS["margin"].replace(np.nan, np.inf))
    ids = np.array([[3, 1, 0, 4]])
    assert ordered(Boost(1, "margin"), ids=ids, items=margins) == [3, 1, 4, 0]


def test_diversity_by_hand():
    ids = np.array([[0, 1, 5, 3]])  # Drama, Drama and War, Drama, Comedy; 1 is half like 0
    assert ordered(Diversity(1), ids=ids) == [0, 3, 1, 5]
    assert ordered(Diversity(0), ids=ids) == [0, 1, 5, 3]


def test_a_cap_ends_lists_that_have_nothing_left():
    ids, scores = reranked([Cap(1)], ids=np.array([[0, 1, 5, 3]]))
    assert ids.tolist() == [[0, 3, -1, -1]]
    assert scores.tolist() == [[4, 1, -inf, -inf]]
    assert ordered(Cap(1), ids=np.array([[1, 2, 4, 0]])) == [1, 2, -1, -1]
    assert ordered(Cap(2), ids=np.array([[0, 1, 5, 3]])) == [0, 1, 3, -1]


def test_pinned_items_come_first_unless_a_cap_forbids_them():
    """Drama, Drama and War, Drama, Comedy."""
    ids = np.array([[0, 1, 5, 3]])
    assert ordered(Pin([5, 1]), ids=ids) == ordered(Pin([5, 1, 5]), ids=ids) == [5, 1, 0, 3]
    assert ordered(Pin([4, 3]), ids=ids) == [3, 0, 1, 5]
    assert ordered(Pin([5, 1]), Cap(1), ids=ids) == [5, 3, -1, -1]
    assert ordered(Pin(["3"]), Diversity(1), ids=ids) == [3, 0, 1, 5]


def test_who_can_not_have_a_pinned_item_has_the_list_without_it():
    """Beside 300 others, of which the best 200 are candidates."""
    n = 300
    items = pd.DataFrame({"margin": np.arange(n) % 7.0, "genres": "Drama"})
    given = {"items": items, "counts": np.ones(n, int), "k": 10}
    ids, scores = np.arange(1, 202)[None], np.linspace(1, 0, 201)[None]
    lists, _ = reranked([Boost(0.5, "margin"), Pin([0])], ids=ids, scores=scores, **given)
    plain, _ = reranked([Boost(0.5, "margin")], ids=ids[:, :200], scores=scores[:, :200], **given)
    np.testing.assert_array_equal(lists, plain)


def test_calibration_gives_each_genre_its_share():
    """Of ten items of a history seven are dramas: so are seven of ten in the list."""
    items = pd.DataFrame({"genres": ["Drama"] * 20 + ["Comedy"] * 20})
    history = sp.csr_matrix(np.isin(np.arange(40), [*range(7), 20, 21, 22])[None].astype("f4"))
    unseen = np.array([[*range(7, 20), *range(23, 40)]])
    scores = np.linspace(1, 0, 30)[None]
    given = {"histories": history, "items": items, "counts": np.ones(40, int), "k": 10}
    lists = reranked([Calibration(0.999)], ids=unseen, scores=scores, **given)[0]
    assert (lists < 20).sum() == 7
    assert (reranked([Calibration(0)], ids=unseen, scores=scores, **given)[0] < 20).sum() == 10


def test_lists_end_where_items_do():
    ids, scores = np.array([[3, 0, -1]]), np.array([[2.0, 1.0, -inf]])
    for step in (Boost(-1), Diversity(0.5), Calibration(0.5), Cap(9)):
        lists, given = reranked([step], ids=ids, scores=scores, k=3)
        assert sorted(lists[0]) == [-1, 0, 3]
        assert dict(zip(lists[0], given[0], strict=True)) == {3: 2, 0: 1, -1: -inf}
        lists, given = reranked([step], ids=ids[:, 2:], scores=scores[:, 2:], k=1)
        assert (lists.item(), given.item()) == (-1, -inf)


def test_equal_scores_and_counts_stay_in_order():
    counts = np.tile([9, 1], 50)
    expected = [*range(1, 100, 2), *range(0, 100, 2)]
    items = pd.DataFrame(index=range(100))
    given = {"ids": np.arange(100)[None], "scores": np.ones((1, 100)), "k": 100}
    assert ordered(Boost(-0.5), items=items, counts=counts, **given) == expected


@pytest.mark.parametrize("niche", [-0.7, 0.3, 0.5])
def test_the_scale_of_the_scores_does_not_matter(niche):
    one = [ordered(Boost(-niche), scores=scale * SCORES - 5) for scale in (1e-4, 1, 1e4)]
    assert one[0] == one[1] == one[2]
    worth = (1 - abs(niche)) * zscore(SCORES[0]) - niche * zscore(np.log1p(COUNTS[IDS[0]]))
    assert one[0] == IDS[0][np.argsort(-worth)].tolist()


STEPS = st.lists(
    st.one_of(
        st.builds(Boost, st.floats(-1, 1), st.sampled_from([None, "margin"])),
        st.builds(Diversity, st.floats(0, 1)),
        st.builds(Calibration, st.floats(0, 1)),
        st.builds(Cap, st.integers(1, 4)),
        st.builds(Pin, st.lists(st.integers(0, 14), max_size=3, unique=True)),
    ),
    max_size=3,
)


@given(st.integers(0, 10**6), STEPS)
def test_any_steps_equal_the_plain_reference(seed, steps):
    """Blocks of users together, in NumPy, are what each user alone is by the definitions."""
    rng = np.random.default_rng(seed)
    names = np.array(["a", "b", "c", "d"])
    items = pd.DataFrame(
        {
            "genres": ["|".join(names[rng.random(4) < 0.4]) for _ in range(15)],
            "margin": rng.normal(size=15),
        }
    )
    counts = rng.integers(0, 50, size=15)
    histories = sp.random(4, 15, density=0.3, format="csr", random_state=seed % 999)
    ids = np.stack([rng.permutation(15)[:9] for _ in range(4)])
    ids[np.arange(9) >= rng.integers(1, 10, size=4)[:, None]] = -1
    scores = np.where(ids < 0, -inf, -np.sort(-rng.normal(size=(4, 9))))
    given = {"histories": histories, "items": items, "counts": counts}
    lists, of_lists = reranked(steps, ids=ids, scores=scores, k=6, **given)
    sets = [set(filter(None, text.split("|"))) for text in items["genres"]]
    for user in range(4):
        n = (ids[user] >= 0).sum()
        best = lists[user][lists[user] >= 0].tolist()
        candidates = ids[user, :n].tolist()
        history = dict(zip(histories[user].indices, histories[user].data, strict=True))
        for place in range(6):
            worths = reference(
                steps, candidates, scores[user, :n], best[:place], history, sets, counts, items
            )
            if place >= len(best):
                assert max(worths.values()) == -inf
            else:
                assert worths[best[place]] >= max(worths.values()) - 1e-9
        own = dict(zip(candidates, scores[user, :n], strict=True))
        assert of_lists[user, : len(best)].tolist() == [own[item] for item in best]
    shorter = reranked(steps, ids=ids, scores=scores, k=3, **given)[0]
    np.testing.assert_array_equal(shorter, lists[:, :3])


def standardized(values):
    values = np.asarray(values, dtype=float)
    return (values - values.mean()) / (values.std() or 1)


def reference(steps, candidates, scores, listed, history, sets, counts, items):
    """What each candidate is worth at the next place; what is in the list is worth nothing."""
    pinned = [item for step in steps if isinstance(step, Pin) for item in step.items]
    total, free = np.zeros(len(candidates)), ~np.isin(candidates, pinned)
    if free.any():
        total[free] = np.prod([1 - abs(step.weight) for step in steps]) * standardized(scores[free])
    for step in steps:
        match step:
            case Boost():
                by = np.log1p(counts) if step.by is None else items[step.by].to_numpy()
                total = total + step.weight * standardized(by[candidates])
            case Diversity():
                alike = [[jaccard(sets[one], sets[own]) for own in listed] for one in candidates]
                total = total - [step.weight * max(own, default=0) for own in alike]
            case Calibration():
                p = shares(history, sets)
                total = total - [
                    step.weight * divergence(p, shares(dict.fromkeys([*listed, one], 1), sets, 1))
                    for one in candidates
                ]
            case Pin():
                pins = [*reversed(step.items)]
                total = total + [1e9 * (one in pins and pins.index(one) + 1) for one in candidates]
            case Cap():
                full = {g for g in "abcd" if sum(g in sets[one] for one in listed) >= step.most}
                total = total - [inf if sets[one] & full else 0 for one in candidates]
    return {
        one: -inf if one in listed else worth for one, worth in zip(candidates, total, strict=True)
    }


def jaccard(one, other):
    return len(one & other) / max(len(one | other), 1)


def shares(weights, sets, is_list=0):
    """The share of each genre; in a list, items without a genre take their part of it too."""
    sums = np.zeros(4)
    for item, weight in weights.items():
        for genre in sets[item]:
            sums["abcd".index(genre)] += weight / len(sets[item])
    return sums / (len(weights) if is_list else max(sums.sum(), 1e-30))


def divergence(p, q):
    """Kullback-Leibler, without the entropy of p, which is the same for all lists."""
    mixed = (1 - SMOOTHING) * q + SMOOTHING * p
    return -sum(one * log(other) for one, other in zip(p, mixed, strict=True) if one > 0)


def test_the_divergence_of_a_whole_list_is_scipys():
    p, q = np.array([0.5, 0.3, 0.2, 0]), np.array([0.25, 0.25, 0.25, 0.25])
    mixed = (1 - SMOOTHING) * q + SMOOTHING * p
    direct = (p[p > 0] * np.log(p[p > 0] / mixed[p > 0])).sum()
    assert divergence(p, q) - entropy(p) == pytest.approx(direct)


def test_more_diversity_makes_lists_more_diverse():
    rng = np.random.default_rng(0)
    names = np.array(list("abcdefgh"))
    sets = [names[rng.random(8) < 0.3] for _ in range(POOL)]
    items = pd.DataFrame({"genres": ["|".join(one) for one in sets]})
    given = {"ids": np.arange(POOL)[None], "scores": np.linspace(1, 0, POOL)[None], "k": 10}
    given |= {"items": items, "counts": np.ones(POOL, int)}
    apart = []
    for weight in (0, 0.5, 0.9, 1):
        chosen = [set(sets[item]) for item in ordered(Diversity(weight), **given)]
        apart.append(np.mean([1 - jaccard(*pair) for pair in combinations(chosen, 2)]))
    assert apart == sorted(apart)
    assert apart[0] < apart[-1] - 0.1


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Diversity(1.5), "weight=1.5 must be a number from 0 to 1"),
        (lambda: Diversity(-0.1), "from 0 to 1"),
        (lambda: Calibration(float("nan")), "from 0 to 1"),
        (lambda: Boost(-2), "from -1 to 1"),
        (lambda: Cap(0), "a whole number from 1"),
        (lambda: Cap(2.5), "a whole number from 1"),
    ],
)
def test_what_is_out_of_range_is_refused(make, message):
    with pytest.raises(OptionError, match=message):
        make()


@pytest.mark.parametrize(
    ("steps", "items", "message"),
    [
        ([Cap(2, "genre")], ITEMS, "no column 'genre': did you mean 'genres'"),
        ([Cap(2)], pd.DataFrame(index=range(6)), "it has none at all"),
        ([Boost(1, "genres")], ITEMS, "'genres' of the items must be of numbers"),
        ([Pin(pd.Series([3, 99], index=[7, 8]))], ITEMS, "no item 99 to pin"),
        ([Pin("7")], ITEMS, "must be a list of raw ids"),
        ([Pin(7)], ITEMS, "must be a list of raw ids"),
        ([Pin([3, 99])], ITEMS, "no item 99 to pin"),
        (Cap(2), ITEMS, r"must be a list of steps, such as \[Cap\(3\)\]"),
        (["diversity"], ITEMS, "must be a list of steps"),
    ],
)
def test_steps_that_miss_something_are_refused_before_any_list(steps, items, message):
    with pytest.raises(OptionError, match=message):
        Reranker(steps, ItemTable(items, COUNTS)).require()


def test_a_long_list_has_twice_as_many_candidates():
    assert [pool_size(k, 1000) for k in (5, 150, 900)] == [POOL, 300, 1000]
