import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp

from recvae.data.features import encode_features
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
    return encode_features(ITEMS, columns, KNOWN).toarray()


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
    years = encode_features(items, ["year"], known).toarray()
    np.testing.assert_array_equal(years[:10], np.eye(10))
    np.testing.assert_allclose(years[10, [3, 4]], np.array([3, 1]) / 10**0.5, rtol=1e-6)
    np.testing.assert_array_equal(years[11], years[0])  # below all that is known: the least of it
    assert not years[12].any()


def test_each_column_weighs_the_same():
    lengths = np.linalg.norm(encoded("genres", "year"), axis=1)
    np.testing.assert_allclose(lengths, [2**0.5] * 3 + [0] + [2**0.5] * 2, rtol=1e-6)


def test_vectors_of_ones_own_as_an_array_a_matrix_or_a_column():
    vectors = np.arange(12.0).reshape(6, 2) + 1
    given = encode_features(ITEMS, vectors, KNOWN)
    assert (str(given.dtype), given.format) == ("float32", "csr")
    np.testing.assert_allclose(np.linalg.norm(given.toarray(), axis=1), 1, rtol=1e-6)
    sparse = encode_features(ITEMS, sp.coo_matrix(vectors), KNOWN)
    column = encode_features(ITEMS.assign(vector=list(vectors)), ["vector"], KNOWN)
    for other in (sparse, column):
        np.testing.assert_array_equal(other.toarray(), given.toarray())


@pytest.mark.parametrize(
    ("given", "error", "message"),
    [
        (["genre"], OptionError, "genres"),
        ([], OptionError, "names no column"),
        (np.ones((5, 2)), DataError, "5 lines"),
        (np.full((6, 2), np.nan), DataError, "finite"),
        (np.zeros((6, 2)), DataError, "nothing is known"),
    ],
)
def test_what_is_no_feature(given, error, message):
    with pytest.raises(error, match=message):
        encode_features(ITEMS, given, KNOWN)
