import numpy as np
import pytest

import recvae as rv
from recvae.data.growth import grown, without_users
from recvae.errors import DataError


def table(users, items, weights=None):
    lines = {"user": users, "item": items, "value": weights or [1.0] * len(users)}
    return rv.read_interactions(lines, value="value")


KNOWN = table(["b", "b", "c"], [20, 30, 20], [1.0, 2.0, 3.0])


def test_rows_and_columns_stay_and_new_ones_come_after():
    data = grown(KNOWN, table(["a", "c"], [10, 25]))
    assert list(data.user_ids) == ["b", "c", "a"]
    assert list(data.item_ids) == [20, 30, 10, 25]
    expected = [[1, 2, 0, 0], [3, 0, 0, 1], [0, 0, 1, 0]]
    np.testing.assert_array_equal(data.matrix.toarray(), expected)
    assert (data.users.index.name, data.items.index.name) == ("user", "item")


def test_a_known_pair_takes_its_new_weight():
    again = grown(KNOWN, table(["b", "c"], [30, 30], [5.0, 7.0]))
    np.testing.assert_array_equal(again.matrix.toarray(), [[1, 5], [3, 7]])
    np.testing.assert_array_equal(grown(KNOWN, KNOWN).matrix.toarray(), KNOWN.matrix.toarray())


def test_what_is_disliked_now_is_no_like_any_more():
    stars = {"user": ["b", "c", "c", "a"], "item": [30, 30, 40, 10], "stars": [2, 5, 1, 1]}
    new = rv.read_interactions(
        stars, value="stars", min_weight=4, min_user_items=0, min_item_users=0
    )
    data = grown(KNOWN, new)
    assert list(data.item_ids) == [20, 30, 10, 40]
    np.testing.assert_array_equal(data.matrix.toarray()[:2], [[1, 0, 0, 0], [3, 5, 0, 0]])
    assert data.matrix.nnz == 3


def test_ids_are_written_as_the_known_ones():
    assert list(grown(KNOWN, table([7], ["40"])).item_ids) == [20, 30, 40]
    assert list(grown(KNOWN, table([7], ["40"])).user_ids) == ["b", "c", "7"]
    with pytest.raises(DataError, match="new item ids, such as forty, are of another type"):
        grown(KNOWN, table(["b"], ["forty"]))


def test_what_is_known_of_items_is_kept_and_added():
    titles = KNOWN.items.assign(title=["Twenty", "Thirty"])
    new = table(["a"], [10])
    new = new.with_item_info(new.items.assign(title=["Ten"]))
    known = KNOWN.with_item_info(titles)
    assert grown(known, new).items["title"].tolist() == ["Twenty", "Thirty", "Ten"]
    assert grown(known, table(["a"], [10])).items["title"].isna().tolist() == [False, False, True]


def test_users_leave_by_their_ids():
    left = without_users(KNOWN, ["b"])
    assert (list(left.user_ids), list(left.item_ids)) == (["c"], [20, 30])
    with pytest.raises(DataError, match="there is no user nobody"):
        without_users(KNOWN, ["c", "nobody"])
