"""What an epoch adds up to."""

import pytest
import torch

from recvae.engine import phases
from recvae.engine.groups import ALONE, Group
from recvae.engine.phases import RECORDED, EpochTotals, LossTerms


@pytest.fixture
def clock(monkeypatch):
    """Seconds that pass when a test says so."""
    times = [100.0]
    monkeypatch.setattr(phases, "perf_counter", lambda: times[0])
    return times


def terms(loss, log_likelihood, kl, beta=0.1):
    return LossTerms(*map(torch.tensor, (loss, log_likelihood, kl)), beta)


def new_totals(started=100.0):
    return EpochTotals(torch.zeros(3), started=started)


def test_the_means_are_over_users_and_not_over_batches(clock):
    totals = new_totals()
    totals.add(terms(4.0, -3.0, 1.0), 3)
    totals.add(terms(8.0, -6.0, 2.0, beta=0.2), 1)
    clock[0] += 2
    record = totals.record(ALONE)
    assert list(record) == list(RECORDED)
    assert list(record.values()) == pytest.approx([5, -3.75, 1.25, 0.2, 2, 2])


def test_no_users_add_nothing_but_the_beta_counts():
    """Not even NaN, which the mean over nobody is."""
    totals = new_totals()
    totals.add(terms(4.0, -3.0, 1.0), 2)
    totals.add(terms(*[float("nan")] * 3, beta=0.3), 0)
    record = totals.record(ALONE)
    assert (record["loss"], record["beta"], totals.n_users) == (4, pytest.approx(0.3), 2)


def test_processes_add_up(clock):
    class Twice(Group):
        def sum(self, tensor):
            return tensor + torch.tensor([6.0, -2.0, 0.0, 2.0])

    totals = new_totals()
    totals.add(terms(1.0, -1.0, 0.5), 2)
    clock[0] += 1
    record = totals.record(Twice(size=2))
    assert list(record.values())[:3] == pytest.approx([2, -1, 0.25])
    assert record["users_per_second"] == 4


def test_it_goes_on_from_its_state(clock):
    totals, other = new_totals(), new_totals(started=0.0)
    totals.add(terms(4.0, -3.0, 1.0), 3)
    totals.rounds = 2
    clock[0] += 5
    state = totals.state_dict()
    clock[0] += 1000
    other.load_state_dict(state)
    assert (other.n_users, other.rounds, other.beta) == (3, 2, 0.1)
    assert other.sums.tolist() == [12, -9, 3]
    clock[0] += 1
    assert other.record(ALONE)["seconds"] == pytest.approx(6)
