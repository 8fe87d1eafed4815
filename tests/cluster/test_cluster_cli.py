"""`recvae shard`, and what the other commands do with shards, as their users type it."""

import json

import pandas as pd
import pytest
from typer.testing import CliRunner

import recvae as rv
from recvae.cli import app

TINY = [f"--set={setting}" for setting in ("epochs=2", "latent=4", "hidden=8", "device=cpu")]


def recvae(*arguments, code=0):
    """Run a command here; check its exit code."""
    result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    assert result.exit_code == code, f"{result.output}\n{result.exception!r}"
    return result


@pytest.fixture(scope="module")
def folder(parts, tmp_path_factory):
    """Shards, and a model trained on them."""
    folder = tmp_path_factory.mktemp("cli")
    facts = json.loads(
        recvae("shard", parts, "--out", folder / "s", "--lines", 300, "--json").stdout
    )
    data = rv.read_interactions(parts, min_user_items=5)
    assert (facts["users"], facts["items"]) == data.shape
    assert facts["interactions"] == data.matrix.nnz
    train = ["train", "--data", folder / "s", "--model", "mult-vae", "--held-out-users", 20]
    recvae(*train, "--out", folder / "model", *TINY)
    return folder


@pytest.mark.slow
def test_a_model_of_shards_is_judged_by_the_users_of_the_table(folder, parts):
    values = []
    for data in (folder / "s", parts):
        asked = ["evaluate", folder / "model", "--data", data, "--held-out-users", 20, "--json"]
        result = recvae(*asked)
        values.append(json.loads(result.stdout))
        assert ("other data" in result.stderr) == (data == parts)
    assert values[0]["metrics"] == values[1]["metrics"]


def test_lists_for_shards_and_for_a_folder_of_parquet(folder, parts, tmp_path):
    recommend = ["recommend", folder / "model", "-k", 3, "--device", "cpu", "--history"]
    recvae(*recommend, folder / "s", "--out", tmp_path / "lists")
    recvae(*recommend, parts, "--out", tmp_path / "lists.parquet")
    one = pd.read_parquet(sorted((tmp_path / "lists").glob("*.parquet")))
    other = pd.read_parquet(tmp_path / "lists.parquet").sort_values(["user", "rank"])
    pd.testing.assert_frame_equal(one, other.reset_index(drop=True))


def test_what_shards_are_not_for(folder, parts, tmp_path):
    data, recommend = ["--data", folder / "s"], ["recommend", folder / "model", "--history"]
    for arguments, message in [
        (["train", *data, "--out", tmp_path / "m", "--min-user-items", 9], "filtered when they"),
        (["train", *data, "--out", tmp_path / "m", "--split", "last"], "split by users"),
        (["compare", *data], "holds shards"),
        (["tune", *data, "--trials", 1], "holds shards"),
        (["data", folder / "s"], "holds shards"),
        (["train", *data, "--out", tmp_path / "m", "--item", "film"], "shards are known"),
        (["train", *data, "--out", tmp_path / "m", "--timestamp", "t"], "leave out --user"),
        ([*recommend, folder / "s"], "name it by --out"),
        ([*recommend, folder / "s", "--out", tmp_path / "l", "--json"], "no --json"),
        ([*recommend, folder / "s", "--out", tmp_path / "l", "--user", "who"], "leave out --user"),
        ([*recommend, folder / "s", "--out", tmp_path / "l", "--value", "v"], "leave out --user"),
        ([*recommend, parts, "--address", "local"], "--address is"),
    ]:
        assert message in " ".join(recvae(*arguments, code=2).stderr.replace("│", " ").split())
    assert (
        "needs all users in memory"
        in recvae("train", *data, "--out", tmp_path / "m", code=1).stderr
    )
