"""Databases: what is read and written is the same, whole or not at all, without a password said."""

import re
import sqlite3

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from postgresql import PASSWORD

import recvae as rv
from recvae.disk import databases
from recvae.disk.databases import read_query, without_password
from recvae.disk.writing import write_tables
from recvae.errors import (
    DataError,
    MissingFileError,
    MissingPackageError,
    OptionError,
    WriteError,
)

PLAYS = pd.DataFrame(
    {
        "user": ["ann", "Björk", "ann", "it's"],
        "item": [2**60, 7, 7, -1],
        "plays": [2.5, 1.0, 4.0, 1.0],
        "played": pd.to_datetime([0, 86_400_500, 86_401_000, 2], unit="ms"),
        "review": [None, "a\nb", '"', ""],
    }
)


@pytest.fixture(params=["sqlite", "duckdb", pytest.param("postgresql", marks=pytest.mark.slow)])
def database(request, tmp_path):
    """The address of a database."""
    if request.param == "postgresql":
        return request.getfixturevalue("postgresql")
    return f"{request.param}:///{tmp_path}/shop.{request.param}"


def rows(database, query):
    return read_query(database, query).to_pandas().to_dict("list")


def tables(database):
    """The names of all tables."""
    query = {
        "sqlite": "SELECT name FROM sqlite_master",
        "duckdb": "SELECT table_name AS name FROM information_schema.tables",
        "postgresql": "SELECT tablename AS name FROM pg_tables WHERE schemaname = 'public'",
    }[database.partition(":")[0]]
    return set(rows(database, query)["name"])


def test_what_was_written_is_read(database):
    write_tables([PLAYS[:1], PLAYS[1:]], f"{database}#plays")
    data = rv.read_interactions(
        database,
        query='SELECT item, "user", plays, played FROM plays',
        value="plays",
        timestamp="played",
    )
    expected = rv.read_interactions(PLAYS, value="plays", timestamp="played")
    assert data.fingerprint() == expected.fingerprint()
    np.testing.assert_array_equal(data.timestamps, expected.timestamps)
    reviews = rows(database, "SELECT review FROM plays ORDER BY played")["review"]
    assert reviews[1:] == ["", "a\nb", '"']
    assert pd.isna(reviews[0])


def test_lists_go_from_a_database_into_one(database):
    write_tables([PLAYS], f"{database}#plays")
    model = rv.ItemKNN(n_neighbors=2).fit(rv.read_interactions(PLAYS))
    histories = read_query(database, 'SELECT "user", item FROM plays')
    write_tables(model.recommend_tables(histories, 2), f"{database}#best")
    found = pd.DataFrame(rows(database, "SELECT * FROM best"))
    pd.testing.assert_frame_equal(found, model.recommend_table(PLAYS, 2), check_dtype=False)


def test_a_table_is_replaced_whole_or_not_at_all(database):
    address = f"{database}#replaced"
    write_tables([PLAYS], address)
    before = tables(database)

    def interrupted():
        yield PLAYS
        if not database.startswith("duckdb"):  # of which one process alone has the file
            assert len(rows(database, "SELECT * FROM replaced")["item"]) == 4
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_tables(interrupted(), address)
    parts = pa.Table.from_pandas(PLAYS), pa.table({"b": [1], "c": [2]})
    with pytest.raises(WriteError, match=re.escape(without_password(database))):
        databases.write_table(parts, address)
    assert tables(database) == before
    assert len(rows(database, "SELECT * FROM replaced")["item"]) == 4
    write_tables([PLAYS[:1]], address)
    assert tables(database) == before
    assert rows(database, "SELECT item FROM replaced") == {"item": [2**60]}


def test_a_table_with_other_columns_is_not_replaced(database):
    address = f"{database}#shopping"
    write_tables([PLAYS], address)
    with pytest.raises(WriteError, match=r"shopping is there, .* \(user, item, plays"):
        write_tables([PLAYS[["user", "item"]]], address)
    assert len(rows(database, "SELECT * FROM shopping")["review"]) == 4
    write_tables([PLAYS.assign(title="Xanadu")], address)
    assert rows(database, "SELECT title FROM shopping")["title"] == ["Xanadu"] * 4


def test_names_as_they_are_written(database):
    write_tables([PLAYS.rename(columns={"plays": 'Select "this"'})], f'{database}#Süße "Lists"')
    found = rows(database, 'SELECT "Select ""this""" AS plays FROM "Süße ""Lists"""')
    assert found == {"plays": PLAYS["plays"].tolist()}


def test_a_schema_of_its_own(postgresql):
    read_query(postgresql, "SELECT 1")
    with databases._cursor(postgresql, WriteError) as cursor:
        cursor.execute("CREATE SCHEMA mine")
        cursor.connection.commit()
    for _ in range(2):
        write_tables([PLAYS], f"{postgresql}#mine.plays")
    assert rows(postgresql, "SELECT count(*) AS n FROM mine.plays") == {"n": [4]}
    with pytest.raises(WriteError, match='schema "nowhere" does not exist'):
        write_tables([PLAYS], f"{postgresql}#nowhere.plays")


def test_types_of_postgresql(postgresql):
    query = """
        SELECT (n % 3)::numeric AS "user", CASE n % 2 WHEN 0 THEN 'x' ELSE 'y' END::char(3) AS item,
            1.5::numeric AS stars, '2026-01-01'::timestamptz + n * interval '0.5s' AS day,
            gen_random_uuid() AS token, ARRAY[n] AS list
        FROM generate_series(0, 5) AS n
    """
    names = {"value": "stars", "timestamp": "day"}
    data = rv.read_interactions(postgresql, query=query, **names)
    assert set(data.matrix.data) == {1.5}
    assert data.user_ids.tolist() == ["0", "1", "2"]
    assert np.ptp(data.timestamps) == 2.5
    with pytest.raises(DataError, match=r"not bytes: .* in a query CAST\(... AS TEXT\)"):
        rv.read_interactions(postgresql, query=query, user="token")
    text = f"SELECT token::text AS token, item FROM ({query}) AS lines"
    assert rv.read_interactions(postgresql, query=text, user="token").shape == (6, 2)


def test_a_reading_writes_nothing(database):
    write_tables([PLAYS], f"{database}#plays")
    with pytest.raises(DataError):
        rv.read_interactions(database, query="DELETE FROM plays")
    assert len(rows(database, "SELECT item FROM plays")["item"]) == 4


def test_sqlite_takes_any_value_in_a_column(tmp_path):
    with sqlite3.connect(tmp_path / "shop.db") as connection:
        connection.execute("CREATE TABLE plays (user, item)")
        lines = [(n, n if n < 2000 else f"i{n}") for n in range(3000)]
        connection.executemany("INSERT INTO plays VALUES (?, ?)", lines)
    connection.close()
    database = f"sqlite:///{tmp_path}/shop.db"
    with pytest.raises(DataError, match="values of several types: convert them by CAST"):
        rv.read_interactions(database, query="SELECT * FROM plays")
    query = "SELECT user, CAST(item AS TEXT) AS item FROM plays"
    assert rv.read_interactions(database, query=query).shape == (3000, 3000)


SHOP = "sqlite:///shop.db"


@pytest.mark.parametrize(
    ("address", "query", "error", "message"),
    [
        (SHOP, None, OptionError, "give the query for this database"),
        ("plays.csv", "SELECT 1", OptionError, "query=... is for a database: give its address"),
        (PLAYS, "SELECT 1", OptionError, "query=... is for a database: give its address"),
        (SHOP, "SELECT 1", MissingFileError, "no file shop.db"),
        ("sqlite://shop.db", "x", OptionError, "three slashes before the path of a file"),
        ("mysql://u:s3cret@host/shop", "x", OptionError, "known: duckdb, postgres, "),
        ("postgresq://host/shop", "x", OptionError, "did you mean 'postgresql'"),
    ],
)
def test_what_is_no_database(address, query, error, message, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(error, match=message) as caught:
        rv.read_interactions(address, query=query)
    assert PASSWORD not in str(caught.value)
    assert not [*tmp_path.iterdir()]


def test_what_is_wrong_with_a_query(database):
    write_tables([PLAYS], f"{database}#plays")
    for query, message in [
        ("SELECT nope FROM plays", "nope"),
        ("SELECT item FROM plays", "no column 'user'"),
        ('SELECT "user", item FROM plays WHERE item = 0', "the table has no rows"),
    ]:
        with pytest.raises(DataError, match=message) as caught:
            rv.read_interactions(database, query=query)
        assert PASSWORD not in str(caught.value)
    with pytest.raises(OptionError, match="text file only"):
        rv.read_interactions(database, query="SELECT 1", columns=["user", "item"])


@pytest.mark.parametrize("where", ["nothing", "#", "#schema."])
def test_no_table_is_named(database, where):
    address = database + where.replace("nothing", "")
    with pytest.raises(OptionError, match="names no table: add #NAME") as caught:
        write_tables([PLAYS], address)
    assert PASSWORD not in str(caught.value)


def test_without_the_driver(monkeypatch, tmp_path):
    monkeypatch.setitem(databases.DRIVERS, "sqlite", "no_such_driver.dbapi")
    with pytest.raises(MissingPackageError, match=r"pip install 'recvae\[db\]'"):
        write_tables([PLAYS], f"sqlite:///{tmp_path}/shop.db#plays")


WRONG = [
    "{user}:s3cret@{host}/no_such_database",
    "{user}:{wrong}@{host}/postgres",
    "{user}:s3cret@{host}/postgres?sslmode=s3",
    "{host}/postgres?user={user}&password=s3cret&foo=1",
    "{host}/postgres?password=s3cret=1&user={user}",
    "{user}:s3cret@no.such.host.invalid/postgres",
    "{user}:s3cret@[::1/postgres",
    "{user}:s3cret@127.0.0.1:1/postgres",
    "{user}:s3cret@127.0.0.1:port/postgres",
    "{user}:s3@cret@{host}/postgres",
    "{user}:s3/cret@{host}/postgres",
    "{user}:s3#cret@{host}/postgres",
    "{user}:s3?cret@{host}/postgres",
    "{user}:s3%cret@{host}/postgres",
    "{user}:s3%00cret@{host}/postgres",
    "{user}:s3 cret@{host}/postgres",
    "s3cret:s3cret@:s3cret@{host}/postgres",
]


@pytest.mark.parametrize("pattern", WRONG)
@pytest.mark.parametrize("scheme", ["postgresql", "postgres"])
def test_no_error_has_a_password(postgresql, pattern, scheme):
    host = re.search("@(.*)/", postgresql)[1]
    address = f"{scheme}://" + pattern.format(user="shop", host=host, wrong="xs3cret")
    for attempt in (
        lambda: rv.read_interactions(address, query="SELECT 1"),
        lambda: write_tables([PLAYS], f"{address}#lists"),
    ):
        with pytest.raises((DataError, OptionError, WriteError)) as caught:
            attempt()
        said = str(caught.value).replace("'s3cret'", "")
        assert "s3" not in said or pattern.endswith("=s3")
        assert "cret" not in said


def test_passwords_are_hidden_in_any_text():
    for text, shown in [
        ("postgresql://ann:s3cret@db/shop", "postgresql://ann:***@db/shop"),
        ("at postgres://ann:s3@c:r/et@db:5432/shop.", "at postgres://ann:***@db:5432/shop."),
        ("postgresql:/ann:s3cret@db", "postgresql:/ann:***@db"),
        ("postgresql://:s3cret@db", "postgresql://:***@db"),
        ("x?user=a&password=s3cret&b=1", "x?user=a&password=***&b=1"),
        ("http://127.0.0.1:8000/docs", "http://127.0.0.1:8000/docs"),
        ("12:30 of a@b.c, C:/a/b", "12:30 of a@b.c, C:/a/b"),
    ]:
        assert without_password(text) == shown
