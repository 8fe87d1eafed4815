import logging
from copy import deepcopy
from dataclasses import replace

import numpy as np
import pytest
import scipy.sparse as sp
import torch
from torch import nn

from recvae.engine.annealing import lr_factor
from recvae.engine.batches import Batches, Resident
from recvae.engine.optimizer import Optimizer
from recvae.engine.phases import LossTerms, Phase
from recvae.engine.trainer import Trainer
from recvae.errors import CheckpointError, TrainingError

MATRIX = sp.csr_matrix(np.eye(6, dtype=np.float32))


class OneWeight(nn.Module):
    """Climbs by a fixed step each epoch: the weight says how many steps were taken."""

    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(1))


def trainer(values=None, *, epochs=10, patience=None, scale=1.0, averaging=None):
    net = OneWeight()

    def step(batch, number):
        loss = -scale * net.weight.sum()
        return LossTerms(loss, -loss, torch.zeros(()), beta=number)

    scores = iter(values) if values is not None else None
    return Trainer(
        net,
        [Phase(step)],
        epochs=epochs,
        learning_rate=1.0,
        validate=None if scores is None else lambda: next(scores),
        metric="ndcg@100",
        patience=patience,
        averaging=averaging,
    )


def fit(trainer, size=6):
    source = Resident(MATRIX, torch.device("cpu"))
    return trainer.fit(Batches(source, size, np.random.default_rng(0)))


def test_the_best_weights_come_back():
    one = trainer([0.1, 0.2, 0.9, 0.3, 0.4], epochs=5)
    history = fit(one)
    assert one.net.weight.item() == pytest.approx(3.0)
    assert history["ndcg@100"].tolist() == [0.1, 0.2, 0.9, 0.3, 0.4]
    assert history["epoch"].tolist() == [1, 2, 3, 4, 5]


def test_without_validation_the_last_epoch_is_the_result():
    one = trainer(epochs=4, patience=1)
    assert "ndcg@100" not in fit(one)
    assert one.net.weight.item() == pytest.approx(4.0)


def test_patience_counts_epochs_without_a_better_value():
    one = trainer([0.1, 0.5, 0.4, 0.5, 0.3, 0.9], epochs=6, patience=2)
    assert len(fit(one)) == 4
    assert one.net.weight.item() == pytest.approx(2.0)


def test_the_average_of_the_weights_is_judged_and_kept():
    one, judged = trainer([], epochs=4, averaging=0.0), []
    values = iter([0.1, 0.5, 0.9, 0.3])
    one.validate = lambda: judged.append(one.net.weight.item()) or next(values)
    fit(one, size=3)
    assert judged == pytest.approx([1.5, 2.5, 3.5, 4.5])  # two steps an epoch
    assert one.net.weight.item() == pytest.approx(3.5)


def test_the_average_is_the_result_without_validation():
    one = trainer(epochs=3, averaging=0.0)
    fit(one)
    assert one.net.weight.item() == pytest.approx(2.0)


def test_steps_are_counted_through_all_epochs():
    assert fit(trainer(epochs=3), size=2)["beta"].tolist() == [2, 5, 8]


def test_what_on_epoch_raises_ends_the_training():
    class BehindError(Exception):
        pass

    def watch(epoch, value):
        heard.append((epoch, value))
        if value < 0.3:
            raise BehindError

    heard, one = [], trainer([0.5, 0.4, 0.2, 0.6])
    one.on_epoch = watch
    with pytest.raises(BehindError):
        fit(one)
    assert heard == [(1, 0.5), (2, 0.4), (3, 0.2)]


def interrupting(values):
    for value in values:
        if value is None:
            raise KeyboardInterrupt
        yield value


def test_ctrl_c_keeps_the_best_so_far(caplog):
    one = trainer(interrupting([0.5, 0.1, None]))
    with caplog.at_level(logging.WARNING, "recvae"):
        history = fit(one)
    assert one.interrupted
    assert len(history) == 2
    assert one.net.weight.item() == pytest.approx(1.0)
    assert "interrupted" in caplog.text


def test_ctrl_c_before_the_first_epoch_is_done_is_passed_on():
    with pytest.raises(KeyboardInterrupt):
        fit(trainer(interrupting([None])))


def test_a_loss_that_is_no_number_is_an_error_that_says_what_to_change():
    with pytest.raises(TrainingError, match="learning_rate"):
        fit(trainer(scale=float("nan")))


def test_a_loss_that_turns_nan_keeps_the_best(caplog):
    one = trainer([0.5, 0.4, 0.3])
    step = one.phases[0].step

    def breaking(batch, number):
        terms = step(batch, number)
        return LossTerms(terms.loss * float("nan"), *[terms.kl] * 2, 0.0) if number == 2 else terms

    one.phases = [Phase(breaking)]
    with caplog.at_level(logging.WARNING, "recvae"):
        assert len(fit(one)) == 2
    assert one.net.weight.item() == pytest.approx(1.0)
    assert "learning_rate" in caplog.text


def test_weights_that_turn_infinite_in_the_last_step_of_an_epoch_are_not_judged():
    one = trainer([0.5, 0.4, 0.3])
    usual = one._step

    def step(*arguments):
        terms = usual(*arguments)
        if one.training.steps == 3:
            one.net.weight.data.fill_(torch.inf)
        return terms

    one._step = step
    assert len(fit(one)) == 2
    assert one.net.weight.item() == pytest.approx(1.0)


def test_l2_moves_weights_and_spares_biases():
    net = nn.Linear(1, 1)
    weight, bias = net.weight.item(), net.bias.item()
    flat = 0 * (net.weight.sum() + net.bias.sum())
    Optimizer(net, "", learning_rate=0.1, l2=0.25).step(flat)
    assert net.weight.item() == pytest.approx(weight - 0.1 * np.sign(weight), abs=1e-6)
    assert net.bias.item() == bias


def test_the_rate_goes_down_over_all_steps_of_the_run():
    one = trainer(epochs=10)
    one.rate_schedule, one.phases = "cosine", [replace(one.phases[0], repeat=2)]
    fit(one, size=2)
    shares = [lr_factor(step, total=60, schedule="cosine") for step in range(60)]
    assert one.net.weight.item() == pytest.approx(sum(shares), rel=1e-4)


class Kept:
    """Checkpoints in memory."""

    def __init__(self, states=(), *, due=False, cheap=False):
        self.folder, self.states, self.due, self.cheap = "run", list(states), due, cheap

    def load(self):
        return deepcopy(self.states[-1]) if self.states else None

    def save(self, state):
        self.states.append(deepcopy(state))


@pytest.mark.parametrize(
    ("when", "done"),
    [
        ({}, [3]),
        ({"cheap": True}, [1, 2, 3]),
        ({"due": True}, [0, 0, 1, 1, 1, 2, 2, 2, 3]),
    ],
    ids=["at the end", "after each epoch", "after each step"],
)
def test_checkpoints_are_written_when_they_are_due_or_cheap_and_at_the_end(when, done):
    one = trainer([0.1, 0.2, 0.3], epochs=3)
    one.checkpoints = Kept(**when)
    fit(one, size=3)
    assert [len(state["history"]) for state in one.checkpoints.states] == done


@pytest.mark.parametrize("n_states", [1, 2, 4, 7])
def test_it_goes_on_from_the_last_checkpoint(n_states):
    values = [0.1, 0.9, 0.3]
    whole = trainer(values, epochs=3)
    whole.checkpoints = Kept(due=True)
    history = fit(whole, size=3)
    state = whole.checkpoints.states[n_states - 1]
    rest = trainer(values[len(state["history"]) :], epochs=3)
    rest.checkpoints = Kept([state])
    times = ["seconds", "users_per_second"]
    assert fit(rest, size=3).drop(columns=times).equals(history.drop(columns=times))
    assert rest.training.steps == whole.training.steps == 6
    assert rest.net.weight.item() == whole.net.weight.item() == pytest.approx(4.0)


def test_it_goes_on_without_validation_too():
    one, other = trainer(epochs=2), trainer(epochs=3)
    one.checkpoints = Kept()
    fit(one)
    other.checkpoints = Kept(one.checkpoints.states)
    assert fit(other)["epoch"].tolist() == [1, 2, 3]
    assert other.net.weight.item() == pytest.approx(3.0)


def test_a_checkpoint_of_something_else_is_refused():
    one = trainer(epochs=2)
    one.checkpoints = Kept([{"parameters": []}])
    with pytest.raises(CheckpointError, match=r"run .*remove it to begin"):
        fit(one)


def test_the_deadline_ends_the_training_after_an_epoch_and_keeps_the_best(caplog):
    one = trainer([0.5, 0.1, 0.2])
    one.deadline = 0.0
    assert fit(one, size=2)["ndcg@100"].tolist() == [0.5]
    assert one.interrupted
    assert one.net.weight.item() == pytest.approx(3.0)
    assert "interrupted after epoch 1" in caplog.text


def test_a_deadline_in_the_last_epoch_interrupts_nothing():
    one = trainer([0.5], epochs=1)
    one.deadline = 0.0
    assert len(fit(one)) == 1
    assert not one.interrupted
