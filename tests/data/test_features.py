import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp

from recvae.data.features import Features
from recvae.errors import DataError, OptionError

ITEMS = pd.DataFrame(
    {
        "genres": ["Comedy|Drama", "Comedy", "Drama", None, "Drama", "Comedy|War"],
        "kind": ["a", "a", "b", "b", "b", "c"],
        "text": ["the red dog", "a red cat", "the blue cat", "", "red red blue", "never seen"],
        "year": [1990.0, 2000.0, 2010.0, np.nan, 2005.0, 1800.0],
    },
    index=pd.Index(range(6), name="item"),
)
KNOWN = np.array([True, True, True, True, True, False])


def encoded(*columns):
    return Features.learn(ITEMS, columns, KNOWN)[1].toarray()


def test_labels_are_cut_at_bars_and_those_of_one_known_item_are_left_out():
    genres = encoded("genres")
    assert genres.shape == (6, 2)  # Comedy and Drama; nobody has had a War film
    assert (genres[3] == 0).all()
    np.testing.assert_allclose(genres[5], genres[1], rtol=1e-6)
    assert genres[0] @ genres[1] > 0 == genres[1] @ genres[2]


def test_values_that_come_again_are_categories_and_others_are_words():
    assert encoded("kind").shape == (6, 2)
    words = encoded("text")
    assert words.shape == (6, 4)  # the, red, blue, cat
    assert words[4] @ words[1] > 0
    assert not words[5].any()


def test_numbers_are_near_to_the_quantiles_around_them():
    items = pd.DataFrame({"year": [*range(2000, 2010), 2003.25, 1800, np.nan]})
    known = np.arange(13) < 10
    years = Features.learn(items, ["year"], known)[1].toarray()
    np.testing.assert_array_equal(years[:10], np.eye(10))
    np.testing.assert_allclose(years[10, [3, 4]], np.array([3, 1]) / 10**0.5, rtol=1e-6)
    np.testing.assert_array_equal(years[11], years[0])  # below all that is known: the least of it
    assert not years[12].any()


def test_each_column_weighs_the_same():
    lengths = np.linalg.norm(encoded("genres", "year"), axis=1)
    np.testing.assert_allclose(lengths, [2**0.5] * 3 + [0] + [2**0.5] * 2, rtol=1e-6)


def test_vectors_of_ones_own_as_an_array_a_matrix_or_a_column():
    vectors = np.arange(12.0).reshape(6, 2) + 1
    given = Features.learn(ITEMS, vectors, KNOWN)[1]
    assert (str(given.dtype), given.format) == ("float32", "csr")
    np.testing.assert_allclose(np.linalg.norm(given.toarray(), axis=1), 1, rtol=1e-6)
    sparse = Features.learn(ITEMS, sp.coo_matrix(vectors), KNOWN)[1]
    column = Features.learn(ITEMS.assign(vector=list(vectors)), ["vector"], KNOWN)[1]
    for other in (sparse, column):
        np.testing.assert_array_equal(other.toarray(), given.toarray())


@pytest.mark.parametrize(
    ("given", "error", "message"),
    [
        (["genre"], OptionError, "genres"),
        ([], OptionError, "names no column of"),
        (np.ones((5, 2)), DataError, "vectors of 5, not of 6"),
        (np.full((6, 2), np.nan), DataError, "finite"),
        (np.zeros((6, 2)), DataError, "nothing is known"),
    ],
)
def test_what_is_no_feature(given, error, message):
    with pytest.raises(error, match=message):
        Features.learn(ITEMS, given, KNOWN)[1]


def test_new_lines_are_encoded_by_what_the_known_ones_have_taught():
    columns = ["genres", "kind", "text", "year"]
    features, encoded = Features.learn(ITEMS, columns, KNOWN)
    assert list(features.table["kind"].unique()) == ["labels", "words", "numbers"]
    again = Features.restore(features.table.copy())
    np.testing.assert_array_equal(again.encode(ITEMS[::-1]).toarray(), encoded.toarray()[::-1])
    others = ITEMS.iloc[:1].assign(genres="Western|Comedy", text="no word of it", year=1e9)
    new = again.encode(others).toarray()[0]
    assert len(new) == len(features.table) == encoded.shape[1]
    spoken = features.table[new > 0]
    assert spoken["token"].tolist() == ["Comedy", "a", ""]
    assert spoken["value"].iloc[-1] == 2010


@pytest.mark.parametrize(
    ("columns", "given", "error", "message"),
    [
        (["year"], ITEMS.drop(columns="year"), OptionError, "no column 'year'"),
        (["year"], ITEMS.assign(year="long ago"), DataError, "'year' must have numbers"),
        (["year"], np.ones((6, 10)), DataError, "expected a table with the column 'year'"),
        (np.ones((6, 3)), np.ones((6, 2)), DataError, "3 finite numbers"),
        (np.ones((6, 3)), ITEMS, DataError, "expected vectors"),
    ],
)
def test_what_is_not_like_the_known_lines(columns, given, error, message):
    features, _ = Features.learn(ITEMS, columns, KNOWN)
    with pytest.raises(error, match=message):
        features.encode(given)


def test_a_damaged_table_of_features_is_refused():
    table = Features.learn(ITEMS, ["year", "kind"], KNOWN)[0].table
    for damaged in (
        None,
        table.drop(columns="token"),
        table.assign(kind="poems"),
        table.assign(value=np.nan),
        table.assign(column="year"),
    ):
        with pytest.raises(ValueError, match="table of features"):
            Features.restore(damaged)
