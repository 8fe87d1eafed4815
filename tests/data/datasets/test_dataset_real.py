from pathlib import Path

import pytest

from recvae.data.datasets.loading import load_dataset, load_tables

RATINGS_USERS_ITEMS_LISTED = {
    "ml-100k": (100_000, 943, 1_682, 1_682),
    "ml-1m": (1_000_209, 6_040, 3_706, 3_883),
    "ml-latest-small": (100_836, 610, 9_724, 9_742),
}


@pytest.mark.parametrize("name", RATINGS_USERS_ITEMS_LISTED)
def test_published_figures(name: str, real_data: Path):
    n_ratings, n_users, n_items, n_listed = RATINGS_USERS_ITEMS_LISTED[name]
    data = load_dataset(name, data_dir=real_data)
    assert (data.matrix.nnz, *data.shape) == (n_ratings, n_users, n_items)
    assert not data.items[["title", "genres"]].isna().any(axis=None)
    assert not data.users.isna().any(axis=None)
    tables = load_tables(name, data_dir=real_data)
    assert (len(tables.ratings), len(tables.items)) == (n_ratings, n_listed)


def test_ml_1m_in_detail(real_data: Path):
    data = load_dataset("ml-1m", min_rating=4, data_dir=real_data)
    assert data.matrix.nnz == 575_281
    titles = load_tables("ml-1m", data_dir=real_data).items.set_index("item")["title"]
    assert titles[661] == "James and the Giant Peach (1996)"
    assert titles[73] == "Misérables, Les (1995)"


def test_ml_100k_in_detail(real_data: Path):
    data = load_dataset("ml-100k", data_dir=real_data)
    assert data.items.loc[1].tolist() == ["Toy Story (1995)", "Animation|Children's|Comedy", 1995]
    assert data.items.loc[267].tolist()[:2] == ["unknown", "unknown"]
    assert data.users.loc[1].tolist() == [24, "M", "technician", "85711"]


def test_ml_latest_small_in_detail(real_data: Path):
    tables = load_tables("ml-latest-small", data_dir=real_data)
    assert tables.items.set_index("item").loc[11, "title"] == "American President, The (1995)"
    assert sorted(tables.ratings["rating"].unique()) == [step / 2 for step in range(1, 11)]
    assert tables.tags is not None
    assert len(tables.tags) == 3_683
