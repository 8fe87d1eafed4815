"""`recvae update`, as its users type it."""

import json

import pandas as pd
import pytest
from typer.testing import CliRunner

import recvae as rv
from recvae.cli import app
from recvae.disk.writing import write_tables


def recvae(*arguments, code=0):
    result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    assert result.exit_code == code, f"{result.output}\n{result.exception!r}"
    return result


@pytest.fixture
def folder(tmp_path):
    """An EASE of ten users and six items that can be updated."""
    likes = [(user, item) for user in range(10) for item in range(6) if (user + item) % 3]
    table = tmp_path / "likes.csv"
    pd.DataFrame(likes, columns=["user", "item"]).to_csv(table, index=False)
    made = tmp_path / "model"
    given = ["--split", "none", "--min-user-items", 1, "--model", "ease", "--keep-data"]
    recvae("train", "--data", table, "--out", made, *given)
    return made


@pytest.fixture
def today(tmp_path):
    """A known user likes a new item, a new user a known and a new one."""
    table = tmp_path / "today.csv"
    pd.DataFrame({"user": [3, 77, 77], "item": [99, 2, 98]}).to_csv(table, index=False)
    return table


def test_an_update_in_its_own_folder(folder, today):
    shown = recvae("update", folder, "--data", today, "--out", folder, "--json").stdout
    assert json.loads(shown) == {
        "model": "ease", "folder": str(folder),
        "users": 11, "items": 8, "more_users": 1, "more_items": 2,
    }  # fmt: skip
    model = rv.load_model(folder)
    assert list(model.item_ids_) == [*range(6), 98, 99]
    fitted = rv.EASE().fit(model.facts_.data)
    assert float((fitted.weights_ - model.weights_).abs().max()) < 1e-5
    again = recvae("update", folder, "--data", today, "--out", folder).stdout
    assert again == "11 users (+0), 8 items (+0)\n"


def test_the_tilde_that_a_shell_leaves_is_the_home(folder, today, tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    recvae("update", folder, "--data=~/today.csv", "--out=~/newer")
    recvae("recommend", "~/newer", "--history=~/today.csv", "-k", 1, "--out=~/lists.csv")
    assert pd.read_csv(tmp_path / "lists.csv")["user"].tolist() == [3, 77]
    recvae("train", "--data=~/nothing", "--out=~/runs", code=1)
    said = recvae("update", folder, "--data=~nobody-is-called-so/a.csv", "--out=~/b", code=1).stderr
    assert said.startswith("error: the ~ of ~nobody-is-called-so/a.csv stands for no home")


def test_what_is_known_of_new_users_is_learnt(tmp_path):
    likes, people, today, more, made = (tmp_path / f"{name}.csv" for name in "abcde")
    pd.DataFrame({"user": [1, 1, 2, 2], "item": [1, 2, 3, 4]}).to_csv(likes, index=False)
    pd.DataFrame({"user": [1, 2], "town": ["here", "here"]}).to_csv(people, index=False)
    pd.DataFrame({"user": [3, 4, 3, 4], "item": [5, 5, 6, 6]}).to_csv(today, index=False)
    pd.DataFrame({"user": [3, 4], "town": ["there", "there"]}).to_csv(more, index=False)
    given = ["--split", "none", "--min-user-items", 1, "--model", "ease", "--keep-data"]
    told = ["--users", people, "--user-features", "town"]
    recvae("train", "--data", likes, *told, *given, "--out", made)
    recvae("update", made, "--data", today, "--users", more, "--out", made)
    asked = pd.DataFrame({"user": [9], "town": ["there"]})
    lists = rv.load_model(made).recommend_table({"user": [], "item": []}, 2, user_features=asked)
    assert sorted(lists["item"]) == [5, 6]


def test_what_is_new_comes_from_a_database(folder, today, tmp_path):
    pytest.importorskip("adbc_driver_sqlite", reason="needs the extra recvae[db]")
    address = f"sqlite:///{tmp_path}/shop.db"
    write_tables([pd.read_csv(today)], f"{address}#today")
    given = ["--data", address, "--query", "SELECT user, item FROM today"]
    shown = recvae("update", folder, *given, "--out", tmp_path / "new").stdout
    assert shown == "11 users (+1), 8 items (+2)\n"


def test_users_are_forgotten(folder, tmp_path):
    shown = recvae("update", folder, "--remove-users", "4, 5", "--out", tmp_path / "less").stdout
    assert shown == "8 users (-2), 6 items (+0)\n"
    assert not rv.load_model(tmp_path / "less").facts_.data.user_ids.isin([4, 5]).any()
    assert rv.load_model(folder).n_users_ == 10


def test_what_can_not_be_done_is_said_and_nothing_changes(folder, today, tmp_path):
    before = (folder / "model.json").read_bytes()
    refused = recvae("update", folder, "--remove-users", "nobody", "--out", folder, code=1)
    assert "error: there is no user nobody" in refused.stderr
    assert "--data, --remove-users" in recvae("update", folder, "--out", folder, code=2).stderr
    missing = recvae("update", folder, "--data", "none.csv", "--out", folder, code=1)
    assert "there is no file or folder none.csv" in missing.stderr
    assert (folder / "model.json").read_bytes() == before
    rv.EASE().fit(rv.read_interactions(today)).save(tmp_path / "bare")
    bare = recvae("update", tmp_path / "bare", "--data", today, "--out", folder, code=1)
    assert "fit it with --keep-data" in " ".join(bare.stderr.split())


def test_a_like_weighs_what_it_did_in_training(tmp_path):
    ratings = pd.DataFrame({"user": [1, 1, 2, 2], "item": [1, 2, 1, 2], "stars": [5, 4, 5, 1]})
    ratings.to_csv(tmp_path / "old.csv", index=False)
    ratings.assign(user=[3, 3, 4, 4]).to_csv(tmp_path / "new.csv", index=False)
    given = ["--split", "none", "--min-user-items", 1, "--model", "ease", "--keep-data"]
    named = ["--value", "stars", "--out", tmp_path / "model"]
    recvae("train", "--data", tmp_path / "old.csv", "--min-rating", 4, *given, *named)
    recvae("update", tmp_path / "model", "--data", tmp_path / "new.csv", *named)
    assert rv.load_model(tmp_path / "model").item_counts_.tolist() == [4, 2]
    pd.DataFrame({"user": [2], "item": [1], "stars": [2]}).to_csv(tmp_path / "new.csv", index=False)
    recvae("update", tmp_path / "model", "--data", tmp_path / "new.csv", *named)
    model = rv.load_model(tmp_path / "model")
    assert model.item_counts_.tolist() == [3, 2]  # user 2 liked item 1 alone, and does no more
    assert list(model.facts_.data.user_ids) == [1, 3, 4]
