"""The command line, as its users type it."""

import gzip
import json
import os
import re
import resource
import shlex
import shutil
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from functools import partial
from pathlib import Path
from threading import Thread
from time import sleep

import numpy as np
import pandas as pd
import pytest
import torch
from commands import in_one_process
from typer.main import get_command
from typer.testing import CliRunner

import recvae as rv
from recvae.cli import app
from recvae.data.datasets.releases import DATASETS
from recvae.models import MODELS
from recvae.ranking.rerank import Cap, Diversity

COMMANDS = (
    "data", "shard", "train", "update", "tune", "info", "evaluate", "recommend", "compare",
    "export", "serve",
)  # fmt: skip
SMALL = ("epochs=3", "latent=4", "hidden=8", "batch_size=20", "device=cpu")
PERIODS = ["--timestamp", "when", "--validation-from", "2001-09-09 01:51"]
PERIODS += ["--test-from", "2001-09-09 01:53"]
TINY = [f"--set={setting}" for setting in SMALL]


def recvae(*arguments: object, code: int = 0, given: bytes = b""):
    """Run a command here, `given` on stdin; check its exit code."""
    result = CliRunner().invoke(app, [str(argument) for argument in arguments], input=given)
    assert result.exit_code == code, f"{result.output}\n{result.exception!r}"
    return result


def process(*arguments: object, **options) -> subprocess.Popen:
    """Start a command in a process of its own."""
    command = [sys.executable, "-m", "recvae", *map(str, arguments)]
    options |= {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    env = os.environ | {"COLUMNS": "200"}
    return subprocess.Popen(command, **options, text=True, env=env)


@pytest.fixture(scope="module")
def plays(tmp_path_factory) -> Path:
    """A table of 60 users and 30 items: even users like even items, odd users odd ones."""
    rng = np.random.default_rng(0)
    users, items = np.nonzero(rng.random((60, 30)) < 0.5)
    liked = users % 2 == items % 2
    n = liked.sum()
    table = pd.DataFrame({"who": users[liked] + 100, "what": items[liked]})
    table["times"], table["when"] = rng.integers(1, 9, n), rng.permutation(n) + 1_000_000_000
    path = tmp_path_factory.mktemp("data") / "plays.csv"
    table.to_csv(path, index=False)
    return path


@pytest.fixture(scope="module")
def table(plays) -> list[object]:
    """The arguments that name the table."""
    return ["--data", plays, "--user", "who", "--item", "what"]


@pytest.fixture(scope="module")
def data(table) -> list[object]:
    """The same, split by users."""
    return [*table, "--held-out-users", 10]


@pytest.fixture(scope="module")
def split(plays) -> rv.Split:
    """What these arguments mean."""
    table = rv.read_interactions(plays, user="who", item="what", min_user_items=5)
    return rv.split_users(table, n_validation=10, n_test=10)


@pytest.fixture(scope="module")
def model(data, tmp_path_factory) -> Path:
    """A saved Mult-VAE."""
    folder = tmp_path_factory.mktemp("runs") / "vae"
    recvae("train", *data, "--model", "mult-vae", "--out", folder, *TINY)
    return folder


@pytest.fixture(scope="module")
def popular(tmp_path_factory) -> Path:
    """Popularity of the films of the sample, saved."""
    folder = tmp_path_factory.mktemp("runs") / "popularity"
    recvae("train", "--data", "sample", "--model", "popularity", "--out", folder)
    return folder


def test_help_and_version():
    shown = recvae("--help").stdout
    listed = re.findall(r"^│ (\w+)  ", shown.partition("Commands")[2], re.MULTILINE)
    assert sorted(listed) == sorted(COMMANDS)
    assert recvae("--version").stdout == f"recvae {rv.__version__}\n"


@pytest.mark.parametrize("command", COMMANDS)
def test_each_command_shows_examples(command):
    assert f"$ recvae {command}" in recvae(command, "--help").stdout


@pytest.mark.parametrize("command", COMMANDS)
def test_every_option_says_what_it_is_for(command):
    assert all(option.help for option in get_command(app).commands[command].params)


def test_the_help_of_train_names_every_model():
    shown = " ".join(recvae("train", "--help").stdout.replace("│", " ").split())
    assert f"One of {', '.join(MODELS)}." in shown


def test_the_list_has_every_data_set(tmp_path):
    (tmp_path / "ml-1m").mkdir()
    (tmp_path / "ml-20m.zip").touch()
    lines = json.loads(recvae("data", "--data-dir", tmp_path, "--json").stdout)
    assert sorted(line["name"] for line in lines) == sorted(DATASETS)
    assert {line["name"] for line in lines if line["present"]} == {"sample", "ml-1m", "ml-20m"}
    assert (
        "ml-100k                 100,000      943   1,682      5 MB  no"
        in recvae("data", "--data-dir", tmp_path).stdout.splitlines()
    )


def test_data_shows_what_is_in_the_sample():
    facts = json.loads(recvae("data", "sample", "--json").stdout)
    size = DATASETS["sample"]
    assert [facts[name] for name in ("interactions", "users", "items")] == [
        size.ratings,
        size.users,
        size.items,
    ]
    assert facts["density"] == pytest.approx(size.ratings / size.users / size.items)
    assert facts["popular"][0]["users"] >= facts["popular"][1]["users"] > 0
    assert "title" in facts["popular"][0]


def test_data_shows_what_is_in_a_file(tmp_path):
    path = tmp_path / "plays.csv"
    path.write_text("user,item\n1,7\n1,8\n2,8\n")
    shown = recvae("data", path).stdout
    assert "interactions    3\n" in shown
    assert "items per user  least 1," in shown
    assert shown.splitlines()[-2:] == ["       2  8", "       1  7"]


def test_train_passes_on_every_setting(data, tmp_path):
    settings = {"hidden": "12,9", "latent": "7", "patience": "null", "beta": "best", "epochs": "2"}
    chosen = [f"--set={name}={value}" for name, value in settings.items()]
    result = recvae(
        "train", *data, "--model", "mult-vae", "--out", tmp_path / "vae", *chosen, "--json"
    )
    facts = json.loads(result.stdout)
    assert facts["model"] == "mult-vae"
    assert facts["epochs"] == 2
    assert 1 <= facts["best_epoch"] <= 2
    assert facts["validation"]["n_users"] == 10
    loaded = rv.load_model(tmp_path / "vae")
    assert (tuple(loaded.hidden), loaded.latent, loaded.patience) == ((12, 9), 7, None)
    assert loaded.beta == "best"


def test_training_takes_the_split_that_was_asked_for(model, split):
    loaded = rv.load_model(model)
    assert loaded.fingerprint_ == split.train.fingerprint()
    assert loaded.item_ids_.equals(split.train.item_ids)


def test_train_says_where_the_model_is_and_how_good(data, tmp_path):
    result = recvae("train", *data, "--model", "item-knn", "--out", tmp_path / "knn")
    assert "ndcg@100" in result.stdout
    assert f"saved to {tmp_path / 'knn'}" in result.stderr
    assert "epochs" not in result.stdout


def test_a_model_that_knows_only_its_users_is_judged_where_it_can_be(table, tmp_path):
    train = ["train", *table, "--model", "bpr", "--out", tmp_path / "bpr", "--json"]
    unseen = recvae(*train)
    assert json.loads(unseen.stdout)["validation"] is None
    assert "--split interactions" in unseen.stderr
    known = recvae(*train, "--split", "interactions")
    assert json.loads(known.stdout)["validation"]["n_users"] > 0


@pytest.mark.parametrize(
    ("kind", "needed"),
    [
        ("users", []),
        ("interactions", []),
        ("items", ["--held-out-users", 15]),
        ("last", ["--timestamp", "when"]),
        ("time", PERIODS),
        ("repeats", PERIODS),
    ],
)
def test_every_kind_of_split(table, kind, needed, tmp_path):
    chosen = [*table, "--split", kind, *needed]
    recvae("train", *chosen, "--model", "popularity", "--out", tmp_path / "model")
    result = recvae("evaluate", tmp_path / "model", *chosen, "--json")
    assert 0 < json.loads(result.stdout)["metrics"]["recall@20"]["mean"] <= 1
    assert "warning" not in result.stderr


def test_what_people_have_again(tmp_path):
    rng = np.random.default_rng(0)
    habits = rng.integers(0, 40, (200, 5))
    users = rng.integers(0, 200, 6000)
    plays = pd.DataFrame({"user": users, "item": habits[users, rng.integers(0, 5, 6000)]})
    plays["when"] = pd.Timestamp("2026-01-01") + pd.to_timedelta(rng.integers(0, 90, 6000), "D")
    plays["n"] = 1
    plays.to_csv(tmp_path / "plays.csv", index=False)
    asked = ["--data", tmp_path / "plays.csv", "--timestamp", "when", "--split", "repeats"]
    asked += ["--value", "n", "--duplicates", "sum", "--min-user-items", 3]
    asked += ["--validation-from", "2026-03-01", "--test-from", "2026-03-15"]
    model = ["--models", "als", "--set", "als.alpha=40", "--metrics", "recall@5", "--json"]
    shown = json.loads(recvae("compare", *asked, *model).stdout)
    split = rv.split_repeats(
        plays, "2026-03-01", "2026-03-15", timestamp="when", value="n", duplicates="sum",
        min_user_items=3,
    )  # fmt: skip
    report = rv.evaluate(rv.ImplicitALS(alpha=40).fit(split.train), split.test, "recall@5")
    assert shown["models"][0]["recall@5"] == pytest.approx(report.mean["recall@5"])
    assert report.mean["recall@5"] > 0.8  # of new items a model would find next to none
    assert "split by repeats" in shown["setting"]["data"]


def test_items_that_nobody_has_in_training(tmp_path, plays, table):
    goods = pd.DataFrame(
        {"what": range(30), "kind": ["odd" if n % 2 else "even" for n in range(30)]}
    )
    goods.to_csv(tmp_path / "goods.csv", index=False)
    asked = [*table, "--items", tmp_path / "goods.csv", "--split", "items", "--held-out-users", 15]
    found = []
    for name, features in [("without", []), ("with", ["--item-features", "kind"])]:
        model = ["--model", "popularity", *features, "--out", tmp_path / name]
        recvae("train", *asked, *model)
        judged = recvae("evaluate", tmp_path / name, *asked, "--metrics", "recall@15", "--json")
        found.append(json.loads(judged.stdout)["metrics"]["recall@15"]["mean"])
    assert found[0] < found[1]


def test_a_published_split(plays, tmp_path, monkeypatch):
    folder = tmp_path / "published"
    folder.mkdir()
    table = pd.read_csv(plays).sample(frac=1, random_state=0)
    is_test = table.groupby("who").cumcount() == 0
    for name, part in {"train": table[~is_test], "test": table[is_test]}.items():
        histories = part.astype(str).groupby("who")["what"].agg(" ".join)
        lines = [f"{user} {items}\n" for user, items in histories.items()]
        (folder / f"{name}.txt").write_text("".join(lines))
    monkeypatch.setenv("RECVAE_DATA", str(tmp_path))
    split = rv.read_split(folder)
    by_name = ["--split", "published", "--data", folder.name]
    metrics = ["--metrics", "full-recall@5,ndcg@5", "--json"]
    shown = json.loads(recvae("compare", *by_name, "--models", "als,ease", *metrics).stdout)
    report = rv.evaluate(rv.EASE().fit(split.final), split.test, "ndcg@5")
    (ease,) = (line for line in shown["models"] if line["model"] == "ease")
    assert ease["ndcg@5"] == pytest.approx(report.mean["ndcg@5"])
    assert f"{folder.name}, split as published" in shown["setting"]["data"]

    chosen = ["--split", "published", "--data", folder]
    recvae("train", *chosen, "--model", "ease", "--out", tmp_path / "ease")
    assert rv.load_model(tmp_path / "ease").fingerprint_ == split.train.fingerprint()
    rv.EASE().fit(split.final).save(tmp_path / "final")
    for model in ("ease", "final"):
        judged = recvae("evaluate", tmp_path / model, *chosen, *metrics)
        assert "warning" not in judged.stderr
    assert json.loads(judged.stdout)["metrics"]["ndcg@5"]["mean"] == report.mean["ndcg@5"]
    refused = recvae("compare", *chosen, "--min-user-items", 3, code=2)
    assert "a published split can't be filtered" in " ".join(refused.stderr.split())


def test_filters_reach_the_data(plays, tmp_path):
    chosen = ["--data", plays, "--user", "who", "--item", "what", "--value", "times"]
    filters = ["--min-weight", 3, "--min-user-items", 6, "--min-item-users", 2, "--k-core"]
    filters += ["--duplicates", "sum"]
    recvae("train", *chosen, *filters, "--model", "popularity", "--out", tmp_path / "model")
    data = rv.read_interactions(
        plays,
        user="who",
        item="what",
        value="times",
        min_weight=3,
        min_user_items=6,
        min_item_users=2,
        k_core=True,
        duplicates="sum",
    )
    n = len(data.users) // 5
    split = rv.split_users(data, n_validation=n, n_test=n)
    assert rv.load_model(tmp_path / "model").fingerprint_ == split.train.fingerprint()


def test_info_says_what_a_model_is_and_where_it_comes_from(model, split):
    shown = recvae("info", model).stdout
    facts = json.loads(recvae("info", model, "--json").stdout)
    history = rv.load_model(model).history_
    assert facts["fingerprint"] == split.train.fingerprint()
    assert facts["interactions"] == split.train.matrix.nnz
    assert facts["options"]["latent"] == rv.load_model(model).latent
    assert facts["origin"]["torch"] == torch.__version__
    assert facts["origin"]["best"] == {
        "metric": "ndcg@100",
        "value": history["ndcg@100"].max(),
        "epoch": history["epoch"][history["ndcg@100"].argmax()],
    }
    for said in ("mult-vae", facts["fingerprint"], facts["sha256"]["weights"]):
        assert said in shown


def test_info_of_a_damaged_model(model, tmp_path):
    shutil.copytree(model, tmp_path / "model")
    next((tmp_path / "model").glob("weights-*")).write_bytes(b"")
    result = recvae("info", tmp_path / "model", code=1)
    assert "weights" in result.stderr
    assert "is damaged" in result.stderr


def test_evaluate_gives_what_the_library_gives(model, data, split):
    result = recvae("evaluate", model, *data, "--metrics", "ndcg@5, coverage@5", "--json")
    report = rv.evaluate(rv.load_model(model), split.test, ["ndcg@5", "coverage@5"])
    metrics = json.loads(result.stdout)["metrics"]
    assert metrics["ndcg@5"]["mean"] == pytest.approx(report.mean["ndcg@5"])
    assert metrics["coverage@5"] == {"mean": report.mean["coverage@5"], "stderr": None}
    assert "ndcg@100" in recvae("evaluate", model, *data).stdout


def test_evaluate_warns_of_other_training_data(model, data):
    result = recvae("evaluate", model, *data, "--seed", 1)
    assert "warning: the model was trained on other data" in result.stderr
    assert "ndcg@100" in result.stdout


def test_recommend_gives_what_the_library_gives(model, tmp_path):
    histories = pd.DataFrame({"user": ["ann", "bob", "ann"], "item": [2, 3, 4]})
    histories.to_csv(tmp_path / "mine.csv", index=False)
    result = recvae("recommend", model, "--history", tmp_path / "mine.csv", "-k", 3, "--json")
    expected = rv.load_model(model).recommend_table(histories, 3)
    pd.testing.assert_frame_equal(
        pd.DataFrame(json.loads(result.stdout)), expected, check_dtype=False, rtol=1e-5
    )


def test_recommend_takes_what_is_in_stock_and_what_is_blocked(model, tmp_path):
    history = tmp_path / "mine.csv"
    history.write_text("user,item\nann,2\nann,4\n")
    pd.DataFrame({"item": [1, 3, 5, 6], "left": [9, 1, 1, 2]}).to_parquet(tmp_path / "stock")
    (tmp_path / "table.csv").write_text("left,item\n9,1\n1,3\n1,5\n2,6\n")
    (tmp_path / "lines.txt").write_text("1\n3\n5\n6\n")
    (tmp_path / "blocked.txt").write_text("item\n5\n")
    expected = rv.load_model(model).recommend_table(history, allow=[1, 3, 6])["item"]
    for stock in ("stock", "table.csv", "lines.txt"):
        limits = ["--allow", tmp_path / stock, "--deny", tmp_path / "blocked.txt"]
        result = recvae("recommend", model, "--history", history, *limits, "--json")
        assert [line["item"] for line in json.loads(result.stdout)] == list(expected)
        assert set(expected) == {1, 3, 6}
    recvae("recommend", model, "--history", history, "--allow", tmp_path / "none", code=1)


def test_recommend_puts_lists_together_by_more_than_scores(tmp_path):
    films = rv.load_dataset("sample", min_rating=4, min_user_items=5)
    model = rv.ItemKNN().fit(films)
    model.save(tmp_path / "model")
    history = tmp_path / "mine.csv"
    history.write_text("\n".join(["item", *map(str, films.item_ids[[3, 14, 159]])]))
    command = ["recommend", tmp_path / "model", "--history", history, "--json"]
    result = recvae(*command, "--diversity", 0.5, "--cap", "genres=2")
    table = pd.DataFrame({"user": "mine", "item": films.item_ids[[3, 14, 159]]})
    steps = [Diversity(0.5), Cap(2)]
    expected = list(model.recommend_table(table, rerank=steps)["item"])
    assert [line["item"] for line in json.loads(result.stdout)] == expected
    assert expected != list(model.recommend_table(table)["item"])
    assert films.items.loc[expected, "genres"].str.get_dummies().sum().max() == 2
    first = films.item_ids[[9, 2]]
    pinned = recvae(*command, "--pin", ",".join(map(str, first)), "-k", 3)
    best = model.recommend_table(table)["item"][0]
    assert [line["item"] for line in json.loads(pinned.stdout)] == [*first, best]
    assert "there is no item 0 to pin" in recvae(*command, "--pin", f"{first[0]},0", code=1).stderr
    for cap in ("genres", "=3", "genres=few"):
        assert "such as genres=3" in recvae(*command, "--cap", cap, code=2).stderr
    assert "did you mean 'genres'?" in recvae(*command, "--cap", "genre=3", code=1).stderr
    assert "from 0 to 1" in recvae(*command, "--diversity", 2, code=1).stderr


@pytest.mark.parametrize(("suffix", "read"), [("csv", pd.read_csv), ("parquet", pd.read_parquet)])
def test_recommend_writes_a_file(model, tmp_path, suffix, read):
    (tmp_path / "mine.tsv").write_text("who\twhat\tn\n5\t2\t1\n5\t4\t3\n")
    out = tmp_path / f"lists.{suffix}"
    columns = ["--user", "who", "--item", "what", "--value", "n"]
    result = recvae(
        "recommend", model, "--history", tmp_path / "mine.tsv", *columns, "-k", 4, "--out", out
    )
    assert result.stdout == ""
    assert f"written to {out}" in result.stderr
    assert list(read(out)["rank"]) == [1, 2, 3, 4]


def test_items_alone_are_one_users(model, tmp_path):
    (tmp_path / "mine.csv").write_text("item\n2\n4\n")
    shown = recvae("recommend", model, "--history", tmp_path / "mine.csv", "-k", 2).stdout
    assert shown.splitlines()[0] == "mine"
    assert shown.splitlines()[1].startswith("   1  ")
    assert len(shown.splitlines()) == 3
    (tmp_path / "mine.csv.gz").write_bytes(gzip.compress(b"item\n2\n4\n"))
    packed = recvae("recommend", model, "--history", tmp_path / "mine.csv.gz", "-k", 2).stdout
    assert packed.splitlines()[1:] == shown.splitlines()[1:]
    pd.DataFrame({"item": [2, 4]}).to_parquet(tmp_path / "mine")
    assert recvae("recommend", model, "--history", tmp_path / "mine", "-k", 2).stdout == shown


def test_lists_show_ids_and_titles(popular, tmp_path):
    (tmp_path / "mine.csv").write_text("user,item\n1,2\n2,3\n")
    shown = recvae("recommend", popular, "--history", tmp_path / "mine.csv", "-k", 1).stdout
    model = rv.load_model(popular)
    best = model.item_counts_.argmax()
    line = f"{model.item_ids_[best]}  {model.items_['title'].iloc[best]}"
    assert shown == f"1\n   1  {line}\n\n2\n   1  {line}\n"


@pytest.mark.parametrize("kind", ["string", "category", "Int64"])
def test_titles_of_any_kind(kind, tmp_path):
    data = rv.read_interactions({"user": [1, 1, 1, 2, 2, 3], "item": [1, 2, 3, 2, 3, 3]})
    titles = pd.DataFrame({"title": pd.array([None, "7", "8"])}, index=data.item_ids)
    rv.Popularity().fit(data.with_item_info(titles.astype(kind))).save(tmp_path / "model")
    (tmp_path / "mine.csv").write_text("item\n3\n")
    recommend = ["recommend", tmp_path / "model", "--history", tmp_path / "mine.csv", "-k", 2]
    assert recvae(*recommend).stdout == "mine\n   1  2  7\n   2  1\n"
    titles = [line["title"] for line in json.loads(recvae(*recommend, "--json").stdout)]
    assert titles == [7 if kind == "Int64" else "7", None]


def test_titles_that_are_dates(tmp_path):
    data = rv.read_interactions({"user": [1, 1, 2], "item": [1, 2, 2]})
    dates = pd.DataFrame({"title": pd.to_datetime([None, "2026-11-30"])}, index=data.item_ids)
    rv.Popularity().fit(data.with_item_info(dates)).save(tmp_path / "model")
    (tmp_path / "mine.csv").write_text("user,item\n1,1\n2,2\n")
    command = ["recommend", tmp_path / "model", "--history", tmp_path / "mine.csv", "-k", 1]
    titles = [line["title"] for line in json.loads(recvae(*command, "--json").stdout)]
    assert titles == ["2026-11-30T00:00:00", None]


def test_lists_may_all_be_empty(model, tmp_path):
    (tmp_path / "mine.csv").write_text("user,item\nann,2\n")
    (tmp_path / "stock.csv").write_text("item\n2\n")
    command = ["recommend", model, "--history", tmp_path / "mine.csv"]
    command += ["--allow", tmp_path / "stock.csv"]
    assert recvae(*command).stdout == "\n"
    assert json.loads(recvae(*command, "--json").stdout) == []


def test_ids_that_look_like_numbers_in_a_history_of_strings(tmp_path):
    table = pd.DataFrame({"user": np.repeat(range(20), 6), "item": [*"12345x"] * 20})
    table.to_csv(tmp_path / "all.csv", index=False)
    folder = tmp_path / "model"
    recvae("train", "--data", tmp_path / "all.csv", "--model", "popularity", "--out", folder)
    (tmp_path / "mine.csv").write_text("item\n1\n2\n3\n4\n5\n")
    shown = recvae("recommend", folder, "--history", tmp_path / "mine.csv", "-k", 1).stdout
    assert shown == "mine\n   1  x\n"


@pytest.mark.filterwarnings("default::recvae.data.reading.UnknownItemWarning")
def test_ids_in_a_history_of_integers_that_are_none(model, tmp_path):
    history = tmp_path / "mine.csv"
    history.write_text("user,item\n1,2\n2,\n")
    result = recvae("recommend", model, "--history", history, code=1)
    assert result.stderr == "error: 1 of the item ids are missing: drop or repair those rows.\n"
    history.write_text("user,item\n1,2\n1,4\n")
    expected = recvae("recommend", model, "--history", history).stdout
    history.write_text("user,item\n1,2\n1,x\n1,4\n")
    result = recvae("recommend", model, "--history", history)
    assert result.stdout == expected
    assert "1 of 3 item ids are unknown to the model" in result.stderr


def fed(path, content):
    """A named pipe, with a thread that writes to it once."""
    os.mkfifo(path)
    Thread(target=path.write_bytes, args=[content], daemon=True).start()
    return path


def test_pipes_are_read_as_files_are(model, table, plays, tmp_path):
    history = b"user,item\n1,2\n1,4\n"
    (tmp_path / "mine.csv").write_bytes(history)
    expected = recvae("recommend", model, "--history", tmp_path / "mine.csv").stdout
    pipe = fed(tmp_path / "pipe", history)
    assert recvae("recommend", model, "--history", pipe).stdout == expected
    wrong = fed(tmp_path / "wrong", b"a,b\n1,2\n")
    stderr = recvae("recommend", model, "--history", wrong, code=1).stderr
    assert stderr.startswith(f"error: {wrong}, whose first line")
    known = ["--user", "who", "--item", "what", "--json"]
    pipe = fed(tmp_path / "plays", plays.read_bytes())
    assert recvae("data", pipe, *known).stdout == recvae("data", plays, *known).stdout
    read, write = os.pipe()  # as <(...) and /dev/stdin in a shell
    os.write(write, plays.read_bytes())
    os.close(write)
    assert recvae("data", f"/dev/fd/{read}", *known).stdout == recvae("data", plays, *known).stdout
    os.close(read)


def test_tables_beside_the_data_may_be_pipes_too(model, table, tmp_path):
    history = ["recommend", model, "--history", tmp_path / "mine.csv", "-k", 2, "--json"]
    history[3].write_text("user,item\n1,2\n1,4\n")
    for number, ids in enumerate([b"item\n5\n6\n", b"5\n6\n"]):
        stock = fed(tmp_path / f"stock{number}", ids)
        listed = json.loads(recvae(*history, "--allow", stock).stdout)
        assert {line["item"] for line in listed} == {5, 6}
    lines = "".join(f"{item},Film {item}\n" for item in range(30))
    items = fed(tmp_path / "items", f"what,title\n{lines}".encode())
    popular = json.loads(recvae("data", *table[1:], "--items", items, "--json").stdout)["popular"]
    assert {line["title"] for line in popular} == {f"Film {line['item']}" for line in popular}


def test_what_a_command_gives_is_not_put_into_its_data(plays, tmp_path):
    folder = tmp_path / "parts"
    folder.mkdir()
    pd.read_csv(plays, sep=None, engine="python").to_parquet(folder / "a.parquet")
    known = ["--data", folder, "--user", "who", "--item", "what"]
    for out in (folder, folder / "in" / "it"):
        for command in (["train"], ["compare"], ["tune", "--trials", 1]):
            result = recvae(*command, *known, "--out", out, code=2)
            assert "would change" in " ".join(result.stderr.replace("│", " ").split())
        assert recvae("shard", folder, *known[2:], "--out", out, code=1).stderr.startswith(
            "error: "
        )
    assert [*folder.iterdir()] == [folder / "a.parquet"]


def test_compare_does_not_overwrite_a_page_of_something_else(table, tmp_path):
    (tmp_path / "index.html").write_text("mine")
    result = recvae("compare", *table, "--models", "popularity", "--out", tmp_path, code=1)
    assert "holds an index.html of something else" in result.stderr
    assert (tmp_path / "index.html").read_text() == "mine"


@pytest.mark.parametrize(
    ("content", "options", "said"),
    [
        ("user,item,stars\n1,2,0\n", ["--value", "stars"], "pass --min-weight to drop them, or"),
        ("user,item,stars\n1,2,0\n", ["--value", "stars"], "leave out --value to count each row"),
        ("user,item\n1,2\n", ["--min-rating", 4], "--min-weight 4 needs .*: name it by --value"),
        ("1,2\n", [], r"name all columns in their order: --columns user,item,\.\.\.\."),
        ('user,item\n1,"a\n2,b\n', [], 'if " is part of the text, pass --no-quotes; else'),
        ("user,item,stars\n1,2,3\n1,2,4\n", ["--value", "stars"], "pass --duplicates sum to add"),
    ],
)
@pytest.mark.filterwarnings("default::recvae.data.reading.DuplicateWarning")
def test_messages_are_in_the_words_of_the_command_line(tmp_path, content, options, said):
    (tmp_path / "t.csv").write_text(content)
    code = 0 if "--duplicates" in said else 1
    assert re.search(said, recvae("data", tmp_path / "t.csv", *options, code=code).stderr)


def test_data_are_shown_as_they_are_filtered(tmp_path):
    (tmp_path / "t.csv").write_text("user,item,stars\n1,2,0\n1,3,4\n2,3,2\n")
    options = ["--value", "stars", "--min-rating", 4, "--json"]
    assert json.loads(recvae("data", tmp_path / "t.csv", *options).stdout)["interactions"] == 1


def test_recommend_does_not_overwrite_its_history(model, tmp_path):
    history, link = tmp_path / "mine.csv", tmp_path / "link.csv"
    history.write_text("user,item\n1,2\n1,4\n")
    link.symlink_to(history)
    for read, out in ((history, history), (history, link), (link, history), (tmp_path, history)):
        result = recvae("recommend", model, "--history", read, "--out", out, code=2)
        assert "would change" in " ".join(result.stderr.replace("│", " ").split())
    assert history.read_text() == "user,item\n1,2\n1,4\n"
    assert link.is_symlink()


def test_recommend_reads_stdin(model, tmp_path):
    for text in ("user,item\n1,2\n1,4\n", "item\n2\n4\n"):
        (tmp_path / "stdin").write_text(text)
        expected = recvae("recommend", model, "--history", tmp_path / "stdin").stdout
        for content in (text.encode(), gzip.compress(text.encode())):
            piped = recvae("recommend", model, "--history", "-", given=content)
            assert piped.stdout == expected
    piped = recvae("recommend", model, "--history", "-", given=b"\0", code=1)
    assert piped.stderr.startswith("error: stdin is a binary file")


def test_a_file_without_a_header(plays, model, tmp_path):
    table = tmp_path / "plays.csv"
    table.write_text("".join(plays.read_text().splitlines(keepends=True)[1:]))
    result = recvae("data", table, code=1)
    assert "--columns user,item,..." in result.stderr
    columns = ["--columns", "who, what, times, when", "--user", "who", "--item", "what"]
    assert recvae("data", table, *columns).stdout == recvae("data", plays, *columns[2:]).stdout
    result = recvae("recommend", model, "--history", table, *columns)
    assert result.stdout == recvae("recommend", model, "--history", plays, *columns[2:]).stdout
    (tmp_path / "mine.csv").write_text("item\n2\n4\n")
    expected = recvae("recommend", model, "--history", tmp_path / "mine.csv").stdout
    (tmp_path / "mine.csv").write_text("2\n4\n")
    shown = recvae("recommend", model, "--history", tmp_path / "mine.csv", "--columns", "item")
    assert shown.stdout == expected


@pytest.mark.slow
def test_compare(data, tmp_path):
    small = [f"--set=mult-vae.{name}" for name in ("epochs=2", "latent=4", "hidden=8")]
    result = recvae(
        "compare",
        *data,
        *("--models", "popularity, mult-vae,item-knn", "--metrics", "recall@5,ndcg@5", "--json"),
        *("--tune", 2, "--out", tmp_path / "report", *small),
    )
    shown = json.loads(result.stdout)
    assert {line["model"] for line in shown["models"]} == {"popularity", "mult-vae", "item-knn"}
    values = [line["ndcg@5"] for line in shown["models"]]
    assert values == sorted(values, reverse=True)
    assert shown["options"]["mult-vae"]["epochs"] == 2
    assert (tmp_path / "report" / "index.html").is_file()
    assert "report written to" in result.stderr


def test_compare_prints_a_table(data):
    result = recvae("compare", *data, "--models", "popularity,item-knn")
    assert "popularity" in result.stdout
    assert "ndcg@100" in result.stdout


def test_compare_in_folds_and_with_seeds(data, plays, tmp_path):
    table = rv.read_interactions(plays, user="who", item="what", min_user_items=5)
    arguments = [*data, "--models", "popularity,als", "--folds", 3, "--seeds", "1, 2"]
    arguments += ["--set=als.factors=2", "--cache-dir", tmp_path / "kept", "--json"]
    facts = json.loads(recvae("compare", *arguments).stdout)
    folds = rv.split_folds(table, 3, n_validation=10)
    models = {"als": rv.ImplicitALS(factors=2), "popularity": rv.Popularity()}
    result = rv.compare(models, folds, seeds=(1, 2))
    assert facts["setting"]["splits"] == 3
    assert facts["setting"]["data"].endswith("seed 98765, in 3 folds")
    for line in facts["models"]:
        assert line["ndcg@100"] == pytest.approx(result.table.loc[line["model"], "ndcg@100"])
    assert len(list((tmp_path / "kept").iterdir())) == 3 + 2 * 3


@pytest.mark.slow
def test_tune_then_train_as_it_says(data, split, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    study = ["--trials", 4, "--metric", "ndcg@5", "--study", "vae.study"]
    result = recvae("tune", *data, *study, *TINY, "--out", "runs/tuned", "--json")
    facts = json.loads(result.stdout)
    assert facts["states"] == {"complete": 4, "pruned": 0, "failed": 0}
    best = max(facts["trials"], key=lambda trial: trial["ndcg@5"])
    assert facts["chosen"] == {option: best[option] for option in facts["chosen"]}
    program, *again = shlex.split(facts["command"])
    assert program == "recvae"
    recvae(*again)
    models = [rv.load_model(folder) for folder in ("runs/tuned", "runs/mult-vae")]
    values = [rv.evaluate(model, split.validation, "ndcg@5").mean["ndcg@5"] for model in models]
    assert values == [pytest.approx(best["ndcg@5"], abs=1e-12)] * 2
    shown = recvae("tune", *data, *study, *TINY).stdout
    assert "trials: 4 complete, 0 pruned, 0 failed" in shown
    assert shown.splitlines()[-1] == facts["command"]


@pytest.mark.slow
def test_ctrl_c_shows_the_best_trial_so_far(data, tmp_path):
    running = process(
        "tune", *data, *TINY, "--minutes", 60, "--study", tmp_path / "a.study", "--json"
    )
    with closing(sqlite3.connect(tmp_path / "a.study", timeout=300)) as study:
        while not finished_trials(study):
            sleep(0.2)
            assert running.poll() is None, running.stderr.read()
    running.send_signal(signal.SIGINT)
    stdout, stderr = running.communicate(timeout=300)
    assert running.returncode == 130
    assert "interrupted after trial" in stderr
    assert json.loads(stdout)["interrupted"]


def finished_trials(study: sqlite3.Connection) -> int:
    """How many trials a study's file has, which may be in the making."""
    try:
        return study.execute("select count(*) from trials").fetchone()[0]
    except sqlite3.OperationalError:
        return 0


TRAIN = ["train", "--out", "nowhere"]
VAE = ["--model", "mult-vae", *TINY]


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        ([*TRAIN, "--data", "ml-1n"], 1, "did you mean 'ml-1m'?"),
        ([*TRAIN, "--data", "missing.csv"], 1, "there is no file missing.csv"),
        ([*TRAIN, "--data", "PLAYS", "--item", "whta"], 1, "did you mean 'what'?"),
        ([*TRAIN, "--data", "PLAYS", "--model", "mult-vea"], 1, "did you mean 'mult-vae'?"),
        ([*TRAIN, "--data", "PLAYS", "--set", "latnet=3"], 1, "did you mean 'latent'?"),
        ([*TRAIN, "--data", "PLAYS", "--set", "latent=-3"], 1, "latent=-3"),
        ([*TRAIN, "--data", "PLAYS", *VAE, "--set=metric=ndgc@5"], 1, "did you mean 'ndcg'?"),
        ([*TRAIN, "--data", "PLAYS", "--min-user-items", 99], 1, "no interaction is left"),
        ([*TRAIN, "--data", "PLAYS", "--held-out-users", 99], 1, "99"),
        ([*TRAIN, "--data", "PLAYS", "--min-rating", 4], 1, "--value"),
        (["train", "--data", "PLAYS", "--out", "mine.csv/vae"], 1, "mine.csv"),
        ([*TRAIN, "--data", "PLAYS", "--set", "latent"], 2, "NAME=VALUE"),
        ([*TRAIN, "--data", "PLAYS", "--split", "time"], 2, "--validation-from"),
        ([*TRAIN, "--data", "PLAYS", "--split", "user"], 2, "users"),
        (
            [*TRAIN, "--data", "PLAYS", "--test-from", "2018"],
            2,
            "--test-from is for --split time or",
        ),
        ([*TRAIN, "--data", "PLAYS", "--split", "repeats"], 2, "files that say when: --timestamp"),
        ([*TRAIN, "--data", "sample", "--split", "repeats"], 2, "files that say when"),
        (
            [*TRAIN, "--data", "PLAYS", "--split", "repeats", *PERIODS, "--items", "PLAYS"],
            2,
            "leave out --items",
        ),
        (
            [*TRAIN, "--data", "PLAYS", "--split", "last", "--held-out-users", 9],
            2,
            "--held-out-users is for --split users",
        ),
        ([*TRAIN, "--data", "sample", "--user", "who"], 2, "columns of sample are known"),
        (["data", "sample", "--timestamp", "when"], 2, "columns of sample are known"),
        (TRAIN, 2, "--data"),
        (["tune", "--data", "PLAYS"], 2, "--trials, --minutes, or both"),
        (["tune", "--data", "PLAYS", "--minutes", -1], 1, "--minutes -1.0"),
        (["tune", "--data", "PLAYS", "--trials", 0], 2, "--trials"),
        (["tune", "--data", "PLAYS", "--trials", 1, "--study", "mine.csv"], 1, "not a study"),
        (["tune", "--data", "PLAYS", "--split", "none", "--trials", 1], 2, "leaves nobody"),
        (["data", "sampel"], 1, "did you mean 'sample'?"),
        (["evaluate", "MODEL", "--data", "PLAYS", "--metrics", "recal@5"], 1, "mean 'recall'?"),
        (["evaluate", "MODEL", "--data", "sample"], 1, "data, filters and split"),
        (["evaluate", "nowhere", "--data", "PLAYS"], 1, "there is no model in nowhere"),
        (["evaluate", "MODEL", "--data", "PLAYS", "--device", "cdua"], 1, "--device cdua"),
        (["recommend", "MODEL", "--history", "missing.csv"], 1, "there is no file missing.csv"),
        (["recommend", "MODEL", "--history", "PLAYS"], 1, "no column 'user'"),
        (["recommend", "MODEL", "--history", "MINE", "-k", 99], 1, "k=99"),
        (["recommend", "MODEL", "--history", "MINE", "--out", "lists.xls"], 1, ".csv or .parquet"),
        (
            ["recommend", "MODEL", "--history", "MINE", "--out", "no/such/l.csv"],
            1,
            "folder no/such, make it",
        ),
        (["recommend", "MODEL", "--history", "MINE", "--out", "l.csv", "--json"], 2, "no --json"),
        (["compare", "--data", "PLAYS", "--models", "als", "--seeds", "0,0"], 1, "holds one twice"),
        (["export", "MODEL", "--out", "model.txt"], 1, "must end in .onnx"),
        (["export", "MODEL", "--out", "no/such/model.onnx"], 1, "folder no/such, make it"),
        (["compare", "--data", "PLAYS", "--split", "items"], 2, "`recvae train` each of them"),
        (["tune", "--data", "PLAYS", "--split", "items", "--trials", 1], 2, "then `recvae evaluat"),
        (["compare", "--data", "PLAYS", "--models", "als,bbr"], 1, "did you mean 'bpr'?"),
        (["compare", "--data", "PLAYS", "--models", "als", "--set", "asl.factors=2"], 2, "als"),
        (["compare", "--data", "PLAYS", "--out", "mine.csv/report"], 1, "mine.csv"),
        (["compare", "--data", "PLAYS", "--models", ""], 1, "no model to compare"),
        (["compare", "--data", "PLAYS", "--seeds", "one"], 2, "whole numbers"),
        (["compare", "--data", "PLAYS", "--folds", "3", "--split", "last"], 2, "leave out --split"),
    ],
)
def test_errors_are_one_line_and_no_traceback(
    arguments, code, said, plays, model, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.csv").write_text("item\n2\n")
    places = {"PLAYS": plays, "MODEL": model, "MINE": "mine.csv"}
    arguments = [places.get(argument, argument) for argument in arguments]
    if plays in arguments and arguments[0] != "recommend":
        columns = {"--user": "who", "--item": "what"}
        arguments += [x for pair in columns.items() if pair[0] not in arguments for x in pair]
    result = recvae(*arguments, code=code)
    assert result.stdout == ""
    assert said in " ".join(result.stderr.replace("│", " ").split())
    assert "Traceback" not in result.stderr
    if code == 1:
        assert result.stderr.splitlines()[-1].startswith("error: ")


@pytest.mark.slow
def test_json_is_all_that_stdout_gets_and_stderr_gets_plain_lines(data, model, tmp_path):
    mine, out = tmp_path / "mine.csv", tmp_path / "vae"
    mine.write_text("item\n2\n777\n")
    trained, warned, failed = in_one_process(
        ["train", *data, "--out", out, *VAE, "--json"],
        ["recommend", model, "--history", mine],
        ["train", *data, "--out", out, "--model", "mult-vea"],
    )
    assert [code for _, _, code in (trained, warned, failed)] == [0, 0, 1]
    assert json.loads(trained[0])["epochs"] == 3
    assert trained[1].splitlines()[-1] == f"saved to {out}"
    assert len(warned[0].splitlines()) == 11
    assert warned[1].startswith("warning: 1 of 2 item ids are unknown to the model")
    assert len(warned[1].splitlines()) == 1
    said = "error: there is no model 'mult-vea': did you mean 'mult-vae'?\n"
    assert failed[:2] == ("", said)


@pytest.fixture
def slow(data, tmp_path) -> list[object]:
    """The arguments of a training that goes on until a test ends it."""
    settings = ["--set", "epochs=1000000", "--set", "patience=null"]
    return ["train", *data, "--out", tmp_path / "vae", *VAE, *settings]


@pytest.mark.slow
def test_ctrl_c_keeps_and_saves_the_best_model_so_far(slow, tmp_path):
    running = process(*slow)
    assert "training" in running.stderr.readline()
    wait_for_checkpoints(running, tmp_path / "vae" / "checkpoints")
    running.send_signal(signal.SIGINT)
    stdout, stderr = running.communicate(timeout=300)
    assert running.returncode == 130
    assert "interrupted after epoch" in stderr
    assert f"saved to {tmp_path / 'vae'}" in stderr
    assert "ndcg@100" in stdout
    assert len(rv.load_model(tmp_path / "vae").history_) >= 1
    assert stderr.splitlines()[-1] == "to go on, give the same command with --resume"


def wait_for_checkpoints(running: subprocess.Popen, folder: Path) -> None:
    """Wait until a training has kept two, after two epochs or more."""
    while len(list(folder.glob("state-*"))) < 2:
        sleep(0.05)
        assert running.poll() is None, running.stderr.read()


@pytest.mark.slow
def test_a_training_that_was_killed_is_resumed(data, tmp_path, monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "1")  # as many as this process has
    train = ["train", *data, *VAE, "--set", "epochs=100", "--set", "patience=null", "--out"]
    recvae(*train, tmp_path / "whole")
    running = process(*train, tmp_path / "vae")
    wait_for_checkpoints(running, tmp_path / "vae" / "checkpoints")
    running.kill()
    running.communicate()
    refused = recvae(*train, tmp_path / "vae", code=1)
    assert "add --resume to go on with it, or remove" in refused.stderr
    other = recvae(*train, tmp_path / "vae", "--set=latent=5", "--resume", code=1)
    assert "holds a training with another latent (4, and not 5)" in other.stderr
    recvae(*train, tmp_path / "vae", "--resume")
    whole, resumed = (next((tmp_path / name).glob("weights-*")) for name in ("whole", "vae"))
    assert whole.read_bytes() == resumed.read_bytes()
    assert not (tmp_path / "vae" / "checkpoints").exists()
    finished = recvae(*train, tmp_path / "vae", "--resume", code=1)
    assert "is finished" in finished.stderr


def test_training_that_ran_out_of_time_is_saved_and_can_go_on(data, tmp_path):
    train = ["train", *data, "--out", tmp_path / "vae", *VAE]
    ended = recvae(*train, "--minutes", "1e-9")
    assert "interrupted after epoch 1" in ended.stderr
    assert ended.stderr.splitlines()[-1] == "to go on, give the same command with --resume"
    assert len(rv.load_model(tmp_path / "vae").history_) == 1
    recvae(*train, "--resume")
    assert len(rv.load_model(tmp_path / "vae").history_) > 1


def test_resume_begins_where_there_is_nothing_to_go_on_from(data, tmp_path):
    result = recvae("train", *data, "--out", tmp_path / "vae", *VAE, "--resume")
    assert "training from the beginning" in result.stderr
    assert rv.load_model(tmp_path / "vae").latent == 4


@pytest.mark.slow
def test_a_second_process_is_refused_and_sigterm_ends_the_first_as_ctrl_c_does(slow, tmp_path):
    running = process(*slow)
    wait_for_checkpoints(running, tmp_path / "vae" / "checkpoints")
    second = recvae(*slow, "--resume", code=1)
    assert "another training is at work in" in second.stderr
    running.send_signal(signal.SIGTERM)
    _, stderr = running.communicate(timeout=300)
    assert running.returncode == 130
    assert stderr.splitlines()[-1] == "to go on, give the same command with --resume"
    assert len(rv.load_model(tmp_path / "vae").history_) >= 2


@pytest.mark.slow
def test_a_full_disk_ends_in_one_clear_error(data, tmp_path):
    """Files end at 10 kB here, as on a disk that is full; PyTorch may write a small one."""
    limit = partial(resource.setrlimit, resource.RLIMIT_FSIZE, (10_000, 10_000))
    training = ["train", *data, "--out", tmp_path / "vae", *VAE, "--set=latent=200"]
    running = process(*training, preexec_fn=limit)
    _, stderr = running.communicate(timeout=300)
    assert running.returncode == 1
    assert "warning: no checkpoint can be written to" in stderr
    assert re.match("error: .*vae can't be written ", stderr.splitlines()[-1])


def test_train_on_all_there_is(table, plays, tmp_path):
    trained = ["--split", "none", "--model", "popularity", "--out", tmp_path / "all"]
    assert recvae("train", *table, *trained).stdout == ""
    every = rv.read_interactions(plays, user="who", item="what", min_user_items=5)
    assert rv.load_model(tmp_path / "all").fingerprint_ == every.fingerprint()


def test_low_ratings_are_left_out_of_lists_and_said_to_be(popular, tmp_path):
    assert "weighs 4 or more" in recvae("info", popular).stdout
    first = rv.load_model(popular).recommend_table({"user": [1], "item": [1]}, 3)["item"].tolist()
    lines = [f"9,{item},{stars}" for item, stars in zip(first, (2, 5, 1), strict=True)]
    (tmp_path / "rated.csv").write_text("\n".join(["user,item,stars", *lines]))
    command = ["recommend", popular, "--history", tmp_path / "rated.csv", "--json", "-k", 5]
    told = recvae(*command, "--value", "stars")
    assert "2 of 3 interactions weigh less than the 4 of a like" in told.stderr
    assert not {line["item"] for line in json.loads(told.stdout)} & set(first)


def test_figures_without_dislikes_say_so_and_need_ratings(data, tmp_path):
    rated = [*data, "--value", "times", "--min-rating", 4, "--min-user-items", 2]
    told = ["--without-disliked", "--metrics", "disliked@10,ndcg@100"]
    popularity = ["--models", "popularity", "--json"]
    facts = json.loads(recvae("compare", *rated, *told, *popularity).stdout)
    assert facts["models"][0]["disliked@10"] == 0
    assert facts["setting"]["data"].endswith("lists without what is disliked")
    assert facts["setting"]["lists are made without"] == "what is shown, and dislikes"
    folds = recvae("compare", *rated, *told, *popularity, "--folds", 2).stdout
    assert json.loads(folds)["models"][0]["disliked@10"] == 0
    folder = tmp_path / "popularity"
    trained = recvae("train", *rated, told[0], "--model", "popularity", "--out", folder)
    assert "lists without what they dislike" in trained.stdout
    assert "lists without" in recvae("evaluate", folder, *rated, *told).stdout
    unknown = recvae("compare", *data, *popularity, told[0], code=1)
    assert "nothing is known of what these users dislike" in unknown.stderr


def test_nobody_to_judge_by(table, model):
    result = recvae("evaluate", model, *table, "--split", "none", code=2)
    assert "leaves nobody" in result.stderr


def test_one_model_that_fails_costs_no_comparison(data):
    failing = ["--models", "popularity,ease", "--set", "ease.max_gigabytes=1e-9"]
    facts = json.loads(recvae("compare", *data, *failing, "--json").stdout)
    assert [line["model"] for line in facts["models"]] == ["popularity"]
    assert "max_gigabytes" in facts["skipped"]["ease"]


def test_a_report_names_its_data(data):
    facts = json.loads(recvae("compare", *data, "--models", "popularity", "--json").stdout)
    assert "split by users, seed 98765" in facts["setting"]["data"]


def test_a_history_without_lines(model, tmp_path):
    (tmp_path / "empty.csv").write_text("user,item\n")
    result = recvae("recommend", model, "--history", tmp_path / "empty.csv", code=1)
    assert "no interactions" in result.stderr


def test_items_that_nobody_has_are_recommended_by_a_table_of_items(plays, tmp_path):
    table, out, history = tmp_path / "goods.csv", tmp_path / "model", tmp_path / "mine.csv"
    goods = pd.DataFrame({"what": range(32), "kind": ["even", "odd"] * 16})
    goods.to_csv(table, index=False)
    named = ("--data", plays, "--user", "who", "--item", "what")
    recvae(
        "train", *named, "--items", table, "--item-features", "kind", "--model", "ease",
        "--split", "none", "--min-user-items", 1, "--out", out,
    )  # fmt: skip
    assert {30, 31} <= set(rv.load_model(out).items_.index)
    history.write_text("item\n2\n4\n6\n8\n")
    lists = recvae("recommend", out, "--history", history, "-k", 25, "--json").stdout
    assert 30 in {one["item"] for one in json.loads(lists) if one["cold"]}
    lost = recvae("train", *named, "--items", tmp_path / "none.csv", "--out", out, code=1)
    assert "there is no file" in lost.stderr


def test_users_without_a_history_are_told_apart_by_a_table_of_users(plays, tmp_path):
    table, new, out = tmp_path / "people.csv", tmp_path / "new.csv", tmp_path / "model"
    users = pd.read_csv(plays)["who"].unique()
    pd.DataFrame({"who": users, "sex": ["f" if n % 2 else "m" for n in users]}).to_csv(table)
    pd.DataFrame({"who": ["ann", "bob"], "sex": ["f", "m"]}).to_csv(new)
    named = ("--user", "who", "--item", "what")
    recvae(
        "train", "--data", plays, *named, "--users", table, "--user-features", "sex", "--model",
        "ease", "--split", "none", "--min-user-items", 1, "--out", out,
    )  # fmt: skip
    lists = json.loads(recvae("recommend", out, *named, "--users", new, "-k", 3, "--json").stdout)
    assert [one["user"] for one in lists] == ["ann"] * 3 + ["bob"] * 3
    assert {one["item"] % 2 for one in lists[:3]} == {1}
    assert {one["item"] % 2 for one in lists[3:]} == {0}
    missing = recvae("recommend", out, code=2)
    assert "--users" in missing.stderr


def test_histories_are_read_in_order(tmp_path):
    likes, mine, folder = tmp_path / "likes.csv", tmp_path / "mine.csv", tmp_path / "model"
    lines = [f"{user},{item},{100 + item}" for user in range(30) for item in range(6)]
    likes.write_text("\n".join(["user,item,when", *lines]))
    mine.write_text("user,item,when\n1,3,2020-02-02\n1,0,2020-01-01\n")
    given = ("--timestamp", "when")
    train = ("--split", "none", "--model", "transitions", "--out", folder)
    recvae("train", "--data", likes, *given, *train)
    shown = recvae("recommend", folder, "--history", mine, *given, "-k", 1, "--json")
    assert [line["item"] for line in json.loads(shown.stdout)] == [4]


def test_lists_as_of_a_moment(tmp_path):
    data = rv.load_dataset("sample", min_rating=4, min_user_items=5)
    rv.Transitions().fit(data).save(tmp_path / "model")
    ids, days = data.item_ids[[3, 14, 159]], pd.date_range("2026-01-30", periods=3)
    mine = pd.DataFrame({"user": ["ann", "bob", "ann"], "item": ids, "when": days.astype(str)})
    mine.to_csv(tmp_path / "mine.csv", index=False)
    command = ["recommend", tmp_path / "model", "--history", tmp_path / "mine.csv", "--json"]
    timed = [*command, "--timestamp", "when", "--as-of"]
    for moment, n in {"2026-02-02": 3, "2026-02-01": 2, "2026-01-31": 1}.items():
        expected = rv.load_model(tmp_path / "model").recommend_table(mine[:n], timestamp="when")
        shown = json.loads(recvae(*timed, moment).stdout)
        assert [line["item"] for line in shown] == expected["item"].tolist()
    assert "interactions before 2026-01-30" in recvae(*timed, "2026-01-30", code=1).stderr
    assert "is no point in time" in recvae(*timed, "soon", code=1).stderr
    assert "--timestamp" in recvae(*command, "--as-of", "2026-02-02", code=2).stderr


@pytest.mark.parametrize("kind", [["last", *PERIODS[:2]], ["time", *PERIODS]], ids=lambda it: it[0])
def test_models_of_order_are_compared_and_tuned_on_splits_by_time(table, plays, tmp_path, kind):
    asked = [*table, "--split", *kind, "--json"]
    models = ["--models", "transitions,ease", "--set", "ease.half_life=3", "--tune", 2]
    shown = json.loads(recvae("compare", *asked, *models).stdout)
    assert {line["model"] for line in shown["models"]} == {"transitions", "ease"}
    when = {"last": "last", "time": f"time at {PERIODS[3]} and {PERIODS[5]}"}[kind[0]]
    assert f"split by {when}, seed" in shown["setting"]["data"]
    tune = ["--model", "ease", "--set", "half_life=3", "--trials", 2, "--out", tmp_path / "tuned"]
    facts = json.loads(recvae("tune", *asked, *tune).stdout)
    assert facts["trials"][0]["half_life"] == 3
    assert facts["trials"][1]["half_life"] != 3
    again = shlex.split(facts["command"])
    recvae(*again[1:-1], tmp_path / "again")
    tuned, trained = (rv.load_model(tmp_path / name) for name in ("tuned", "again"))
    data = rv.read_interactions(plays, user="who", item="what", timestamp="when", min_user_items=5)
    split = rv.split_last(data) if kind[0] == "last" else rv.split_time(data, *PERIODS[3::2])
    for model in (tuned, trained):
        value = rv.evaluate(model, split.validation, "ndcg@100").mean["ndcg@100"]
        best = max(trial["ndcg@100"] for trial in facts["trials"])
        assert value == pytest.approx(best, abs=1e-6)
