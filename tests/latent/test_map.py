import re
import sys
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

import recvae as rv
from recvae.errors import DataError, MissingPackageError, NotFittedError, OptionError, WriteError
from recvae.latent import TasteMap, genre_purity, item_codes, neighbor_histories
from recvae.latent.map_page import main_genres

NETS = ["mult-vae", "mult-dae", "vamp-vae", "residual-vae", "elsa", "ensemble"]


@pytest.fixture(scope="module")
def titled(matrix):
    """A model of items whose genres are the tastes that the data were made of."""
    columns = np.arange(matrix.shape[1])
    items = pd.DataFrame(
        {
            "title": [f"<{n}> & co" for n in columns],
            "genres": [["Drama", "Comedy|War", "Western"][n % 3] for n in columns],
        },
        index=pd.Index([f"item {n}" for n in columns], name="item"),
    )
    data = rv.Interactions.from_matrix(matrix).with_item_info(items.set_index(columns))
    options = {"batch_size": 20, "learning_rate": 0.02, "epochs": 15, "device": "cpu"}
    return rv.MultVAE(hidden=(), latent=4, **options).fit(data)


@pytest.mark.parametrize("name", NETS)
def test_an_item_is_amid_the_users_who_have_it(name, models, matrix):
    taste_map = TasteMap.fit(models[name], matrix)
    for column in (0, 11):
        having = matrix[matrix[:, column].toarray()[:, 0] > 0]
        places, weights = taste_map.place(having)[["x", "y"]], np.diff(having.indptr) ** -0.5
        expected = np.average(places, axis=0, weights=weights)
        found = taste_map.items.loc[column, ["x", "y"]].astype(float)
        np.testing.assert_allclose(found, expected, atol=1e-4)


def test_an_item_that_nobody_has_is_amid_all(vae, matrix):
    without = matrix.multiply(np.arange(matrix.shape[1]) != 4).tocsr()
    expected = vae.encode(without)[0].mean(axis=0)
    np.testing.assert_allclose(item_codes(vae, without)[4], expected, rtol=1e-5)


def test_the_plane_keeps_as_much_of_the_variance_as_one_can(vae, matrix):
    codes = item_codes(vae, matrix).astype(np.float64)
    singular = np.linalg.svd(codes - codes.mean(axis=0), compute_uv=False)
    kept = TasteMap.fit(vae, matrix).items[["x", "y"]].var(ddof=0).to_numpy() * len(codes)
    np.testing.assert_allclose(kept, singular[:2] ** 2, rtol=1e-3)


def test_the_deviation_on_the_map_is_that_of_codes_drawn_from_the_posterior(vae, matrix):
    taste_map, rng = TasteMap.fit(vae, matrix), np.random.default_rng(0)
    mean, logvar = vae.encode(matrix[0])
    drawn = mean + np.exp(0.5 * logvar) * rng.normal(size=(20_000, mean.shape[1]))
    (found,) = taste_map.place(matrix[0])[["x_std", "xy_cov", "y_std"]].to_numpy()
    (xx, xy), (_, yy) = np.cov(taste_map._plane.transform(drawn).T)
    np.testing.assert_allclose(found[[0, 2]], np.sqrt([xx, yy]), rtol=0.03)
    assert found[1] == pytest.approx(xy, abs=0.03 * np.sqrt(xx * yy))


def test_points_have_no_deviation(models, matrix):
    users = TasteMap.fit(models["mult-dae"], matrix).place(matrix)
    assert (users[["x_std", "y_std", "xy_cov"]] == 0).all(axis=None)


def test_umap_is_asked_for_by_name_and_needs_its_package(vae, matrix, monkeypatch):
    monkeypatch.setitem(sys.modules, "umap", None)
    with pytest.raises(MissingPackageError, match="pip install umap-learn"):
        TasteMap.fit(vae, matrix, "umap")

    class FirstTwo:
        def __init__(self, n_components, random_state):
            assert (n_components, random_state) == (2, 3)

        def transform(self, codes):
            return codes[:, :2]

        fit_transform = transform

    monkeypatch.setitem(sys.modules, "umap", SimpleNamespace(UMAP=FirstTwo))
    users = TasteMap.fit(vae, matrix, "umap", seed=3).place(matrix)
    assert list(users) == ["x", "y"]
    np.testing.assert_array_equal(users, vae.encode(matrix)[0][:, :2])


def test_the_page_shows_every_item_and_user_and_loads_nothing(titled, matrix, tmp_path):
    taste_map = TasteMap.fit(titled, matrix)
    page = taste_map.write(tmp_path / "map", taste_map.place(matrix[:3]))
    assert (tmp_path / "map" / "map.png").read_bytes().startswith(b"\x89PNG")
    html = page.read_text(encoding="utf-8")
    assert html.count("<circle ") == matrix.shape[1]
    assert html.count('class="user"') == 3
    assert "<title>&lt;7&gt; &amp; co</title>" in html
    assert [name in html for name in ("Drama", "Comedy", "Western")] == [True] * 3
    assert not re.search(r"(src|href)=|https?:|@import", html)
    places = re.findall(r'cx="([\d.]+)" cy="([\d.]+)"', html)
    assert all(0 <= float(number) <= 1000 for place in places for number in place)


def test_a_map_without_titles_or_genres_or_users(vae, matrix, tmp_path):
    html = TasteMap.fit(vae, matrix).write(tmp_path).read_text(encoding="utf-8")
    assert "<title>23</title>" in html
    assert 'checkbox" class' not in html


def test_companions_are_an_item_and_the_nearest_to_it(vae):
    nearest, _ = vae.similar_items([7, 3], 4)
    histories = neighbor_histories(vae, [7, 3], k=4)
    assert histories.shape == (2, 24)
    for row, column in enumerate((7, 3)):
        assert sorted(histories[row].indices) == sorted([column, *nearest[row]])
    assert (histories.data == 1).all()


def test_a_map_may_do_without_users(titled, matrix):
    histories = neighbor_histories(titled, k=6)
    assert histories.shape == (24, 24)
    assert genre_purity(item_codes(titled, histories), titled.items_["genres"], k=5).mean() > 0.8


def test_rare_genres_and_none_share_a_colour():
    genres = [f"genre {n}" for n in range(9) for _ in range(10 - n)] + [None, "", "genre 0|genre 8"]
    groups = main_genres(pd.DataFrame({"genres": genres}))
    assert groups.value_counts().to_dict() == {
        **{f"genre {n}": 10 - n + (n == 0) for n in range(6)},
        "other": 4 + 3 + 2 + 2,
    }


def test_items_of_a_genre_are_near_each_other(titled, matrix):
    assert genre_purity(item_codes(titled, matrix), titled.items_["genres"], k=5).mean() > 0.8


def test_purity_by_hand():
    """Neighbours of 0 are 1, 2; of 1 too 0, 2; of 2 they are 1, 0; the last has no genre."""
    vectors = np.array([[1, 0], [1, 0.1], [1, 0.5], [1, 0]])
    genres = pd.Series(["a|b", "b", "c", None])
    np.testing.assert_array_equal(genre_purity(vectors, genres, k=2), [0.5, 0.5, 0, np.nan])
    np.testing.assert_array_equal(genre_purity(vectors, genres, k=1), [1, 1, 0, np.nan])


def test_mistakes(models, vae, matrix, tmp_path):
    with pytest.raises(OptionError, match="did you mean 'pca'"):
        TasteMap.fit(vae, matrix, "pcs")
    with pytest.raises(OptionError, match="EASE has no latent space"):
        TasteMap.fit(models["ease"], matrix)
    with pytest.raises(NotFittedError):
        item_codes(rv.MultVAE(), matrix)
    (tmp_path / "file").touch()
    with pytest.raises(WriteError, match="can't be written"):
        TasteMap.fit(vae, matrix).write(tmp_path / "file")
    with pytest.raises(OptionError, match="no notion of similar items"):
        neighbor_histories(models["popularity"])
    with pytest.raises(OptionError, match="columns must be from 0 to 23"):
        neighbor_histories(vae, [24])
    with pytest.raises(DataError, match="no user has an item"):
        item_codes(vae, matrix[:0])
    with pytest.raises(DataError, match="give a vector"):
        genre_purity(np.eye(3), pd.Series(["a", "b"]))
    with pytest.raises(OptionError, match="k=2 must be less"):
        genre_purity(np.eye(3), pd.Series(["a", "b", None]), k=2)
