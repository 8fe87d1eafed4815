"""The commands read from databases and write to them, and never say a password."""

import json

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

import recvae as rv
from recvae.cli import app
from recvae.disk.databases import read_query
from recvae.disk.writing import write_tables

QUERY = ["--query", 'SELECT customer AS "user", product AS item FROM orders']
MODEL = ["--model", "item-knn", "--set", "n_neighbors=5"]


def recvae(*arguments: object, code: int = 0):
    result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    assert result.exit_code == code, f"{result.output}\n{result.exception!r}"
    return result


@pytest.fixture
def orders() -> pd.DataFrame:
    rng = np.random.default_rng(0)
    pairs = rng.integers(0, (60, 20), (900, 2))
    return pd.DataFrame(pairs, columns=["customer", "product"])


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.slow)])
def shop(request, orders, tmp_path) -> str:
    """The address of a database with orders."""
    address = f"sqlite:///{tmp_path}/shop.db"
    if request.param == "postgresql":
        address = request.getfixturevalue("postgresql")
    write_tables([orders], f"{address}#orders")
    return address


def test_from_a_database_to_a_model_to_lists_in_the_database(shop, orders, tmp_path):
    described = json.loads(recvae("data", shop, *QUERY, "--json").stdout)
    assert (described["users"], described["items"]) == (60, 20)
    out = tmp_path / "model"
    recvae("train", "--data", shop, *QUERY, *MODEL, "--split", "none", "--out", out)
    for _ in range(2):
        lists = f"{shop}#lists"
        told = recvae("recommend", out, "--history", shop, *QUERY, "-k", 3, "--out", lists)
        assert "s3cret" not in told.output
        assert "#lists" in told.stderr
    columns = {"user": "customer", "item": "product"}
    expected = rv.load_model(out).recommend_table(orders, 3, **columns)
    found = read_query(shop, 'SELECT * FROM lists ORDER BY "user", rank').to_pandas()
    expected = expected.sort_values(["user", "rank"], ignore_index=True)
    pd.testing.assert_frame_equal(found, expected, check_dtype=False)
    shown = json.loads(recvae("recommend", out, "--history", shop, *QUERY, "--json").stdout)
    assert len(shown) >= len(found)


def test_what_a_comparison_and_a_tuning_say_of_a_database(shop, tmp_path):
    data = ["--data", shop, *QUERY, "--held-out-users", 10]
    said = recvae("compare", *data, "--models", "popularity", "--out", tmp_path / "report").output
    said += recvae("tune", *data, *MODEL[:2], "--trials", 1, "--out", tmp_path / "tuned").output
    said += "".join(file.read_text("utf-8", "replace") for file in files(tmp_path / "report"))
    assert "s3cret" not in said
    assert shop.partition("://")[0] in said


def files(folder):
    return [path for path in folder.rglob("*") if path.is_file()]


@pytest.mark.parametrize("address", ["{}://u:s3cret@127.0.0.1:1/d", "{}://u:s3@c:r/et@h/d"])
@pytest.mark.parametrize("scheme", ["postgresql", "mysql"])
def test_no_command_says_a_password(address, scheme, tmp_path):
    shop = address.format(scheme)
    for command in (
        ["train", "--data", shop, "--out", tmp_path / "out"],
        ["train", "--data", shop, *QUERY, "--out", tmp_path / "out"],
        ["train", "--data", shop, "--split", "published", "--out", tmp_path / "out"],
        ["compare", "--data", shop, *QUERY, "--models", "ease", "--out", tmp_path / "out"],
        ["data", shop],
        ["shard", shop, "--out", tmp_path / "out"],
        ["recommend", tmp_path / "no", "--history", shop],
        ["recommend", tmp_path / "no", "--history", shop, *QUERY],
        ["info", shop],
    ):
        result = CliRunner().invoke(app, [str(argument) for argument in command])
        assert result.exit_code in (1, 2)
        assert "cret" not in result.output
        assert "et@" not in result.output


def test_a_query_is_for_a_database(tmp_path):
    assert "columns of sample are known" in recvae("data", "sample", *QUERY, code=2).stderr
    told = recvae("data", tmp_path / "orders.csv", *QUERY, code=1).stderr
    assert told == "error: --query is for a database: give its address: postgresql://...\n"
    told = recvae("data", "postgresql://me@localhost/shop", code=1).stderr
    assert told.endswith("""--query 'SELECT customer AS "user", product AS item FROM ...'.\n""")


def test_lists_of_shards_do_not_go_to_a_database(orders, tmp_path):
    orders.to_parquet(tmp_path / "orders.parquet")
    columns = {"user": "customer", "item": "product"}
    rv.shard_table(tmp_path / "orders.parquet", tmp_path / "shards", **columns)
    out = f"sqlite:///{tmp_path}/shop.db#lists"
    told = recvae("recommend", "no", "--history", tmp_path / "shards", "--out", out, code=2)
    assert "go to a folder" in told.stderr
