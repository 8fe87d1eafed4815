from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from hypothesis import given
from hypothesis import strategies as st

from recvae.data.interactions import Interactions
from recvae.data.matrices import as_csr
from recvae.data.reading import build_interactions
from recvae.errors import DataError, OptionError

DENSE = np.array([[5, 0, 3], [0, 2, 0], [4, 1, 0], [0, 0, 0]], dtype=np.float32)


@pytest.fixture
def data():
    matrix = sp.csr_matrix(DENSE)
    users = pd.DataFrame(index=pd.Index(list("abcd"), name="user"))
    items = pd.DataFrame({"title": ["X", "Y", "Z"]}, index=pd.Index([10, 20, 30], name="item"))
    return Interactions(matrix, users, items, np.arange(5) + 100, np.arange(5)[::-1])


def pairs(data):
    """Everything that is known of each entry, by raw ids."""
    columns = data.item_ids[data.matrix.indices]
    details = zip(data.matrix.data, data.timestamps, data.positions, strict=True)
    return dict(zip(zip(data.user_ids[data.rows], columns, strict=True), details, strict=True))


def test_keep_leaves_users_and_items(data):
    kept = data.keep(data.matrix.data >= 3)
    np.testing.assert_array_equal(kept.matrix.toarray(), np.where(DENSE >= 3, DENSE, 0))
    assert pairs(kept) == {k: v for k, v in pairs(data).items() if v[0] >= 3}


def test_select_users_takes_rows_in_the_order_given(data):
    taken = data.select_users(np.array([2, 0]))
    assert list(taken.user_ids) == ["c", "a"]
    np.testing.assert_array_equal(taken.matrix.toarray(), DENSE[[2, 0]])
    assert pairs(taken) == {k: v for k, v in pairs(data).items() if k[0] in "ac"}


def test_select_items_takes_columns_in_ascending_order(data):
    taken = data.select_items(np.array([2, 0]))
    assert list(taken.item_ids) == [10, 30]
    assert list(taken.items["title"]) == ["X", "Z"]
    np.testing.assert_array_equal(taken.matrix.toarray(), DENSE[:, [0, 2]])
    assert pairs(taken) == {k: v for k, v in pairs(data).items() if k[1] != 20}


def test_selecting_by_mask(data):
    mask = np.array([True, False, True])
    np.testing.assert_array_equal(data.select_items(mask).matrix.toarray(), DENSE[:, mask])
    mask = np.array([True, False, False, True])
    np.testing.assert_array_equal(data.select_users(mask).matrix.toarray(), DENSE[mask])


@pytest.mark.parametrize("rows", [[-1], [4], [0.5], [[0]], [True] * 3, [True] * 5])
def test_rows_that_are_not_there(data, rows):
    with pytest.raises(OptionError, match=r"whole numbers from 0 to 3|must be bool \[4\]"):
        data.select_users(rows)


def test_masks_that_are_none(data):
    with pytest.raises(OptionError, match=r"must be bool \[3\], got bool \[2\]"):
        data.select_items([True, False])
    for mask in ([True], [1, 0, 1, 1, 0]):
        with pytest.raises(OptionError, match=r"must be bool \[5\]"):
            data.keep(mask)


def test_an_item_is_selected_once(data):
    assert list(data.select_items([1, 1]).item_ids) == [20]


def test_filter_drops_rare_items_first_then_users_once(data):
    filtered = data.filter(min_item_users=2, min_user_items=2)
    # Item 30 goes; then a has one item left and goes with b and d; both items keep user c.
    assert list(filtered.user_ids) == ["c"]
    assert list(filtered.item_ids) == [10, 20]


def test_k_core_holds_both_minimums_or_nothing(data):
    with pytest.raises(DataError, match="no interaction is left of 5"):
        data.filter(min_item_users=2, min_user_items=2, k_core=True)


def test_filter_by_weight_drops_whom_it_empties(data):
    filtered = data.filter(min_weight=3)
    assert list(filtered.user_ids) == ["a", "c"]
    assert list(filtered.item_ids) == [10, 30]


@given(
    st.lists(st.tuples(st.integers(0, 6), st.integers(0, 6)), min_size=15, max_size=40),
    st.integers(1, 3),
    st.integers(1, 3),
)
def test_a_k_core_is_the_largest_that_meets_both_minimums(entries, min_users, min_items):
    users, items = np.array(sorted(set(entries))).T
    expected = {*zip(users.tolist(), items.tolist(), strict=True)}
    while True:  # the slow way: one pair at a time
        weak = {
            (u, i)
            for u, i in expected
            if sum(v == u for v, _ in expected) < min_items
            or sum(j == i for _, j in expected) < min_users
        }
        if not weak:
            break
        expected -= weak
    minimums = {"min_user_items": min_items, "min_item_users": min_users, "k_core": True}
    data = build_interactions(users, items)
    if not expected:
        with pytest.raises(DataError, match="lower them"):
            data.filter(**minimums)
        return
    core = data.filter(**minimums)
    found = zip(core.user_ids[core.rows], core.item_ids[core.matrix.indices], strict=True)
    assert {*found} == expected


def test_item_info_is_joined_by_id_in_column_order(data):
    table = pd.DataFrame(
        {"title": ["C", "A", "?"], "year": [2001, 1999, 0]}, index=pd.Index([30, 10, 99])
    )
    told = data.with_item_info(table)
    assert told.item_ids.equals(data.item_ids)
    assert told.items["title"].tolist() == ["A", "Y", "C"]
    assert told.items["year"].fillna(-1).tolist() == [1999, -1, 2001]
    assert list(data.items["title"]) == ["X", "Y", "Z"]


def test_item_info_keeps_the_other_columns(data):
    told = data.with_item_info(pd.DataFrame({"year": [1]}, index=[10]))
    assert list(told.items.columns) == ["title", "year"]


def test_item_info_as_read_csv_gives_it_is_joined_by_its_column_item(data, frame):
    table = pd.DataFrame({"item": [30, 1, 10], "title": ["C", "?", "A"]})
    assert data.with_item_info(frame(table)).items["title"].tolist() == ["A", "Y", "C"]
    numbers = Interactions.from_matrix(data.matrix)  # whose ids are those of the lines, too
    table = pd.DataFrame({"item": [2, 1, 0], "title": ["C", "B", "A"]})
    told = numbers.with_item_info(table)
    assert told.items["title"].tolist() == ["A", "B", "C"]
    assert list(told.items.columns) == ["title"]
    assert told.item_ids.equals(numbers.item_ids)
    told = numbers.with_item_info(table[table["title"] != "B"])
    assert told.items["title"].fillna("").tolist() == ["A", "", "C"]
    told = numbers.with_item_info(table.sort_values("title"))
    assert told.items["title"].tolist() == ["A", "B", "C"]


@pytest.mark.parametrize(
    ("index", "others"),
    [(pd.Index([2, 1, 0]), {}), (pd.RangeIndex(3, name="movie"), {"item": [9, 9, 9]})],
)
def test_item_info_with_an_index_of_its_own_is_joined_by_it(data, index, others):
    table = pd.DataFrame({"title": ["C", "B", "A"], **others}, index=index)
    told = Interactions.from_matrix(data.matrix).with_item_info(table)
    assert told.items["title"].to_dict() == dict(zip(index, ["C", "B", "A"], strict=True))


def test_item_info_takes_no_known_value_away(data):
    data = data.with_item_info(pd.DataFrame({"year": [1990, 1991, 1992]}, index=[10, 20, 30]))
    told = data.with_item_info(
        pd.DataFrame({"title": [None, "B"], "year": [7, 8], "n": [1, 2]}, index=[10, 20])
    )
    assert told.items["title"].tolist() == ["X", "B", "Z"]
    assert told.items["year"].tolist() == [7, 8, 1992]
    assert told.items["year"].dtype == np.int64
    assert told.items["n"].fillna(-1).tolist() == [1, 2, -1]


def test_item_info_that_is_no_table(data):
    with pytest.raises(DataError, match="expected a dataframe with a line per item, got li"):
        data.with_item_info(["a"])


def test_item_info_without_ids(data):
    table = pd.DataFrame({"movie": [10, 20, 30], "title": ["A", "B", "C"]})
    with pytest.raises(DataError, match="only the numbers of its lines"):
        data.with_item_info(table)
    told = Interactions.from_matrix(data.matrix).with_item_info(table)
    assert told.items["title"].tolist() == ["A", "B", "C"]


def test_item_info_by_ids_of_another_type(data):
    with pytest.raises(DataError, match=r"raw item ids such as 10 \(int64\)"):
        data.with_item_info(pd.DataFrame({"title": ["X"]}, index=["10"]))


def test_item_info_with_two_columns_of_one_name(data):
    table = pd.DataFrame([[1, 2]] * 3, columns=["a", "a"], index=data.item_ids)
    with pytest.raises(DataError, match="same name"):
        data.with_item_info(table)


def test_item_info_with_two_lines_for_an_item(data):
    with pytest.raises(DataError, match="item 10 has more than one line"):
        data.with_item_info(pd.DataFrame({"title": ["X", "Y"]}, index=[10, 10]))


def test_of_a_matrix_numbers_are_ids():
    data = Interactions.from_matrix(sp.coo_matrix(DENSE))
    assert data.shape == (4, 3)
    assert list(data.item_ids) == [0, 1, 2]
    assert Interactions.from_matrix(data) is data


def test_as_csr_is_canonical_and_a_copy():
    coo = sp.coo_matrix(([1.0, 2.0, 0.0], ([0, 0, 0], [2, 2, 1])), shape=(1, 3))
    csr = as_csr(coo)
    assert (csr.nnz, csr[0, 2], csr.dtype) == (1, 3, np.float32)
    csr.data[:] = 9
    assert coo.data[0] == 1


@pytest.mark.parametrize("bad", [-1.0, np.nan, np.inf])
def test_as_csr_refuses_weights_that_are_none(bad):
    with pytest.raises(DataError, match="finite and not negative"):
        as_csr(sp.csr_matrix([[bad]]))


def test_a_negative_weight_is_not_hidden_by_another():
    with pytest.raises(DataError, match="not negative"):
        as_csr(sp.coo_matrix(([-1.0, 3.0], ([0, 0], [0, 0]))))


@pytest.mark.parametrize("weight", [0, -1, np.nan])
def test_weights_are_above_0(data, weight):
    matrix = data.matrix.copy()
    matrix.data[0] = weight
    with pytest.raises(DataError, match="above 0"):
        replace(data, matrix=matrix)


def test_as_csr_refuses_a_row_of_one_axis():
    matrix = sp.csr_array(np.eye(3))
    with pytest.raises(DataError, match=r"got 1 axis: .* matrix\[\[0\]\]"):
        Interactions.from_matrix(matrix[0])
    assert Interactions.from_matrix(matrix[[0]]).shape == (1, 3)


def test_as_csr_refuses_what_is_not_sparse():
    with pytest.raises(DataError, match="got ndarray"):
        as_csr(DENSE)


def test_the_fingerprint_changes_with_any_weight_or_item_id(data):
    other = sp.csr_matrix(DENSE)
    other.data[0] += 1
    renamed = data.items.set_axis(pd.Index([10, 20, 31], name="item"))
    variants = [
        data,
        Interactions(other, data.users, data.items),
        Interactions(data.matrix, data.users, renamed),
        data.select_users(np.array([1, 0, 2, 3])),
    ]
    assert len({variant.fingerprint() for variant in variants}) == 4
    assert data.fingerprint() == data.keep(data.matrix.data > 0).fingerprint()


DISLIKED = np.array([[0, 1, 0], [1, 0, 1], [0, 0, 1], [1, 1, 0]], dtype=bool)


def test_dislikes_go_where_their_users_and_items_go(data):
    told = replace(data, disliked=sp.coo_matrix(DISLIKED))
    for taken, rows, columns in (
        (told.keep(data.matrix.data > 3), [0, 1, 2, 3], [0, 1, 2]),
        (told.select_users([3, 1]), [3, 1], [0, 1, 2]),
        (told.select_items([2, 0]), [0, 1, 2, 3], [0, 2]),
        (told.with_item_info(data.items), [0, 1, 2, 3], [0, 1, 2]),
    ):
        assert taken.disliked.dtype == bool
        np.testing.assert_array_equal(taken.disliked.toarray(), DISLIKED[np.ix_(rows, columns)])
    assert told.fingerprint() == data.fingerprint()
    with pytest.raises(DataError, match=r"disliked is \(4, 2\)"):
        replace(data, disliked=sp.csr_matrix((4, 2)))


def test_filter_parts_likes_from_dislikes_and_counts_likes_alone(data):
    assert data.filter().disliked is None
    kept = data.filter(min_weight=2)
    assert kept.disliked.toarray().tolist() == [[0, 0, 0], [0, 0, 0], [0, 1, 0]]
    assert kept.min_weight == 2
    again = kept.filter(min_weight=3)
    assert list(again.user_ids) == ["a", "c"]
    assert list(again.item_ids) == [10, 30]
    assert (again.disliked.nnz, again.min_weight) == (0, 3)
    both = replace(kept, disliked=sp.csr_matrix(DISLIKED[:3])).filter(min_weight=4)
    assert both.disliked.toarray().tolist() == [[False], [False]]
    assert kept.filter(min_weight=4, min_item_users=1).item_ids.tolist() == [10]


def test_what_is_parted_twice_is_disliked_both_times():
    data = build_interactions([1, 1, 1, 2, 2, 2], [7, 8, 9, 7, 8, 9], [5, 3, 1, 5, 5, 5])
    once = data.filter(min_weight=2)
    assert once.disliked.toarray().tolist() == [[0, 0, 1], [0, 0, 0]]
    assert once.filter(min_weight=4).disliked.toarray().tolist() == [[0, 1, 1], [0, 0, 0]]


def test_repr(data):
    assert repr(data) == "Interactions(4 users x 3 items, 5 interactions, density 41.67%)"


def test_a_notebook_shows_sizes_and_the_first_items():
    data = Interactions.from_matrix(sp.eye(9, format="csr"))
    shown = data.with_item_info(pd.DataFrame({"title": ["<i>A"] * 9}))._repr_html_()
    assert "9 users x 9 items" in shown
    assert shown.count("&lt;i&gt;A") == 5
