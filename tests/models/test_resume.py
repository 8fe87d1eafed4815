"""A training that was cut off goes on bit for bit."""

import logging
import os
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
import scipy.sparse as sp
import torch

import recvae as rv
from recvae.engine import checkpoints, sparse
from recvae.engine.checkpoints import Checkpoints
from recvae.errors import CheckpointError
from recvae.models.families import softmax

ROOT = Path(__file__).parents[2]
TIMES = ["seconds", "users_per_second"]
SMALL = {"latent": 4, "batch_size": 10, "epochs": 3, "device": "cpu"}
OPTIONS = {
    "mult-vae": SMALL | {"hidden": (8,)},
    "mult-dae": SMALL | {"dropout": 0.3, "epochs": 6, "patience": 1},
    "rec-vae": SMALL | {"width": 8, "encoder_passes": 2},
    "vamp-vae": SMALL | {"hidden": (8,), "n_components": 5, "beta": "best"},
    "residual-vae": SMALL | {"width": 8},
    "elsa": SMALL,
    "ensemble": {"latent": 4, "width": 8, "epochs": 2, "rank": 4, "factors": 4, "device": "cpu"},
}


class CutError(Exception):
    """The power failed."""


@pytest.fixture(scope="module")
def split():
    matrix = sp.random(80, 25, density=0.3, format="csr", random_state=0, dtype=np.float32)
    return rv.split_users(rv.Interactions.from_matrix(matrix), n_validation=15, n_test=5)


def fit(name, split, **arguments):
    model = rv.build_model(name, OPTIONS[name])
    return model.fit(split.train, split.validation, **arguments)


def assert_same(one, other):
    its = other.state()
    assert all(torch.equal(tensor, its[name]) for name, tensor in one.state().items())
    one, other = (model.history_.drop(columns=TIMES) for model in (one, other))
    assert one.equals(other)


@pytest.fixture
def each_step(monkeypatch):
    """A checkpoint after each training step."""
    monkeypatch.setattr(checkpoints, "MINUTES", 0)


@pytest.mark.slow
@pytest.mark.parametrize("name", OPTIONS)
def test_it_goes_on_bit_for_bit_wherever_it_was_cut(name, split, tmp_path, monkeypatch, each_step):
    check_cuts(name, split, tmp_path, monkeypatch)


def test_in_a_large_catalogue_too(split, tmp_path, monkeypatch, each_step):
    monkeypatch.setattr(sparse, "LARGE", 0)
    monkeypatch.setattr(softmax, "N_SAMPLED", 5)
    monkeypatch.setitem(OPTIONS, "mult-vae", OPTIONS["mult-vae"] | {"softmax": "sampled"})
    check_cuts("mult-vae", split, tmp_path, monkeypatch)


def check_cuts(name, split, tmp_path, monkeypatch):
    save, saved = Checkpoints.save, []

    def save_and_die(self, state):
        save(self, state)
        saved.append(1)
        if len(saved) % 4 == 0:
            raise CutError

    monkeypatch.setattr(Checkpoints, "save", save_and_die)
    model = None
    while model is None:
        with suppress(CutError):
            model = fit(name, split, checkpoints=tmp_path)
    assert len(saved) > 12
    monkeypatch.setattr(Checkpoints, "save", save)
    assert_same(fit(name, split), model)


def test_what_came_to_its_end_is_there_at_once(split, tmp_path, monkeypatch):
    first = fit("mult-dae", split, checkpoints=tmp_path)
    monkeypatch.setattr("recvae.engine.trainer.Trainer._step", None)
    assert_same(first, fit("mult-dae", split, checkpoints=tmp_path))


@pytest.mark.parametrize("name", ["mult-dae", "vamp-vae"])  # one stops early, one trains twice
def test_the_first_and_the_last_are_there_however_dear(name, split, tmp_path, monkeypatch):
    monkeypatch.setattr(checkpoints, "MAX_COST", 0)
    save, epochs = Checkpoints.save, []

    def note(self, state):
        save(self, state)
        epochs.append(len(state["history"]))

    monkeypatch.setattr(Checkpoints, "save", note)
    first = fit(name, split, checkpoints=tmp_path)
    assert epochs[-2:] == [1, len(first.history_)]
    trainings = {path.parents[1] for path in tmp_path.rglob("checkpoint.json")}
    assert len(epochs) == 2 * len(trainings)
    monkeypatch.setattr("recvae.engine.trainer.Trainer._step", None)
    assert_same(first, fit(name, split, checkpoints=tmp_path))


def test_checkpoints_change_nothing(split, tmp_path, each_step):
    assert_same(fit("residual-vae", split), fit("residual-vae", split, checkpoints=tmp_path))


@pytest.mark.parametrize("what", ["options", "data", "validation", "model"])
def test_checkpoints_of_something_else_are_refused(what, split, tmp_path):
    fit("mult-vae", split, checkpoints=tmp_path)
    model = rv.build_model("mult-vae", OPTIONS["mult-vae"])
    train, validation = split.train, split.validation
    if what == "options":
        model.learning_rate = 0.5
    elif what == "data":
        train = train.matrix[1:]
    elif what == "validation":
        validation = split.test
    else:
        model = rv.build_model("mult-dae", SMALL)
    with pytest.raises(CheckpointError, match="with another"):
        model.fit(train, validation, checkpoints=tmp_path)


@pytest.mark.parametrize(
    ("place", "value"),
    [
        ("steps", -1),
        ("history", {"loss": 1.0}),
        ("history.0", {"epoch": 1}),
        ("history.0.loss", None),
        ("parameters.0", torch.zeros(())),
        ("parameters.0", torch.zeros((), dtype=torch.float64)),
        ("noise", torch.zeros(5)),
        ("totals.sums", torch.zeros(1)),
        ("totals.n_users", 10**30),
        ("totals.rounds", "one"),
        ("totals.seconds", None),
        ("parts.batches.done", 7),
        ("parts.batches.done", -1),
        ("parts.batches.generator", {}),
        ("parts.best.value", None),
        ("parts.best.epoch", -(10**9)),
        ("parts.best.weights.0", torch.zeros(())),
        ("parts.average.steps", -6),
        ("parts.average.weights.0", torch.zeros(())),
        ("parts.memory0", {}),
        ("parts.optimizer0.moments.0", {"step": torch.ones(())}),
        ("parts.optimizer0.moments.0.step", torch.zeros(())),
        ("parts.optimizer0.moments.0.step", torch.tensor(torch.nan)),
        ("parts.optimizer0.moments.0.exp_avg", torch.zeros(())),
        ("parts.optimizer0.moments.0.exp_avg_sq", None),
    ],
)
def test_a_checkpoint_with_something_that_is_none_of_a_training(
    place, value, halfway, split, monkeypatch
):
    load = Checkpoints.load

    def forged(self):
        state = part = load(self)
        *way, last = [int(name) if name.isdigit() else name for name in place.split(".")]
        for name in way:
            part = part[name]
        part[last] = value
        return state

    monkeypatch.setattr(Checkpoints, "load", forged)
    with pytest.raises(CheckpointError, match="of no such training"):
        fit("residual-vae", split, checkpoints=halfway)


@pytest.fixture(scope="module")
def halfway(split, tmp_path_factory):
    """The checkpoints of a training that was cut off in its second epoch, of six steps."""
    save, numbers, folder = Checkpoints.save, iter(range(10)), tmp_path_factory.mktemp("halfway")

    def save_or_die(self, state):
        save(self, state)
        if next(numbers) == 9:
            raise CutError

    with pytest.MonkeyPatch.context() as patch, suppress(CutError):
        patch.setattr(checkpoints, "MINUTES", 0)
        patch.setattr(Checkpoints, "save", save_or_die)
        fit("residual-vae", split, checkpoints=folder)
    return folder


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_and_sigterm_wait_for_the_end_of_a_step_and_are_saved(
    number, split, tmp_path, monkeypatch, caplog
):
    """The step that the signal came in is done, the state after it saved."""
    whole = fit("rec-vae", split)
    before = signal.signal(number, signal.default_int_handler)  # SIGINT may be ignored, by nohup
    terms = rv.RecVAE.loss_terms
    steps = []

    def interrupted(*arguments):
        steps.append(1)
        if len(steps) == 23:  # in the second epoch
            os.kill(os.getpid(), number)
        return terms(*arguments)

    with monkeypatch.context() as patch, caplog.at_level(logging.WARNING):
        patch.setattr(rv.RecVAE, "loss_terms", interrupted)
        model = fit("rec-vae", split, checkpoints=tmp_path)
    signal.signal(number, before)
    assert (model.interrupted_, len(model.history_), len(steps)) == (True, 1, 23)
    assert "interrupted after epoch 1" in caplog.text
    monkeypatch.setattr(rv.RecVAE, "loss_terms", lambda *them: steps.append(2) or terms(*them))
    model = fit("rec-vae", split, checkpoints=tmp_path)
    assert_same(whole, model)
    assert steps.count(1) + steps.count(2) == 3 * 18  # none was made twice


@pytest.mark.slow
def test_trainings_that_are_killed_at_random_moments():
    """A few times; the script's own default is 100."""
    command = [sys.executable, "-m", "benchmarks.abuse.kills", "--kills", "3"]
    said = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert said.returncode == 0, said.stderr
    assert said.stdout.startswith("3 kills")
