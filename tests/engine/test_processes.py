"""Several processes train one model as one would, started by torchrun as a user does."""

import json
import os
import subprocess
import sys

import numpy as np
import pytest
import together
import torch

import recvae as rv
from recvae.engine.batches import Batches, Resident
from recvae.engine.groups import Group
from recvae.engine.processes import joined
from recvae.errors import OptionError

ENVIRONMENT = os.environ | {"OMP_NUM_THREADS": "1"}


TORCHRUN = ("-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2")


def run(*command):
    """Run Python; its output."""
    command = [sys.executable, *map(str, command)]
    done = subprocess.run(command, capture_output=True, text=True, env=ENVIRONMENT, timeout=300)
    assert done.returncode == 0, done.stderr
    return done


@pytest.fixture(scope="module")
def in_turn(tmp_path_factory):
    """What two processes give that need not be started anew for each."""
    folder = tmp_path_factory.mktemp("in_turn")
    run(*TORCHRUN, "--max-restarts=2", together.__file__, "in_turn", folder / "found", folder)
    return json.loads((folder / "found").read_text())


def assert_same(one, other):
    np.testing.assert_allclose(one["history"], other["history"], rtol=1e-5, atol=1e-5)
    assert [line[-1] for line in one["history"]] == [line[-1] for line in other["history"]]
    for name, weights in one["weights"].items():
        np.testing.assert_allclose(weights, other["weights"][name], rtol=1e-4, atol=1e-5)


@pytest.mark.slow
def test_every_grid_trains_as_one_process_does(tmp_path):
    run(together.__file__, "grids", tmp_path / "found")
    found = json.loads((tmp_path / "found").read_text())
    assert len(found) == len(together.BY_USER) + 2 * len(together.BY_ITEM)
    alone = {name: together.fit(name) for name in together.BY_USER}
    for name, result in found.items():
        assert_same(alone[name.split()[0]], result)


@pytest.mark.slow
def test_a_large_catalogue_too(in_turn, monkeypatch):
    monkeypatch.setattr(together.sparse, "LARGE", 0)
    monkeypatch.setattr(together.softmax, "N_SAMPLED", 1000)
    assert_same(together.fit("mult-vae"), in_turn["large"])


@pytest.mark.slow
def test_killed_ones_come_back_and_go_on_bit_for_bit(in_turn):
    killed = in_turn["killed"]
    assert killed["life"] == "2"
    assert killed["resumed"] == killed["whole"]


@pytest.mark.slow
def test_told_to_end_all_do(in_turn):
    assert in_turn["told to end"] == [2, 2]


@pytest.mark.slow
def test_the_command_line_takes_the_same_options(tmp_path):
    out = tmp_path / "vae"
    train = ("-m", "recvae", "train", "--data", "sample", "--model", "mult-vae", "--json")
    settings = ("--set", "epochs=1", "--set", "latent=8", "--set", "hidden=16")
    done = run(*TORCHRUN, *train, *settings, "--out", out)
    printed = done.stdout[done.stdout.index("{") :]  # PyTorch 2.8 says more before it
    assert json.loads(printed)["epochs"] == 1
    assert done.stderr.count("saved to") == 1
    assert rv.load_model(out).net_.input.weight.shape == (1200, 16)
    assert not (out / "checkpoints").exists()


@pytest.mark.slow
def test_what_can_not_be_shared_is_refused(in_turn):
    ease, elsa, vamp, gaussian, sampled, uneven, other_grid = in_turn["refused"]
    assert "leave out torchrun" in ease
    assert "item_shards=1" in elsa
    assert "item_shards=1" in vamp
    assert "item_shards=1" in gaussian
    assert "let all of them be tensor parallel" in sampled
    assert "3 shards" in uneven
    assert "another grid of processes (1 x 2, and not 2 x 1)" in other_grid


def test_shards_need_processes():
    with pytest.raises(OptionError, match="torchrun"), joined(2):
        pass


@pytest.mark.parametrize("size", [1, 3, 4])
@pytest.mark.parametrize("n", [0, 2, 10, 13])
def test_parts_are_all_of_it_once_and_about_as_large(n, size):
    parts = [range(n)[Group(rank, size).part(n)] for rank in range(size)]
    assert [number for part in parts for number in part] == list(range(n))
    assert max(map(len, parts)) - min(map(len, parts)) <= 1


def test_a_part_of_a_batch_has_its_part_of_the_noise():
    whole, *parts = (drawn(group) for group in (Group(), Group(0, 2), Group(1, 2)))
    for one, pieces in zip(whole, zip(*parts, strict=True), strict=True):
        assert torch.equal(one, torch.cat(pieces))


def drawn(group):
    """The columns of a batch and its noise."""
    rows, order = together.split().train.matrix[:9], np.random.default_rng(0)
    (batch,) = Batches(Resident(rows, torch.device("cpu")), 9, order, group)
    noise = torch.Generator().manual_seed(0)
    return batch.columns, batch.uniform(noise), batch.normal(3, noise)
