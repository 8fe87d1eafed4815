"""Threads on machines that do other things too, under quotas, and after a fork."""

import os
import subprocess
import sys
import threading
from multiprocessing import get_context
from pathlib import Path
from time import perf_counter

import numpy as np
import pytest
import scipy.sparse as sp
import torch

import recvae as rv
from recvae.engine import threads


@pytest.fixture
def two_threads():
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(before)


def held(monkeypatch, waits):
    """Whether a second team of threads is held, if threads have waited so long at each look."""
    seconds, looked, loops = iter(np.cumsum([0.0, *waits])), threading.Event(), []

    def waited() -> float:
        try:
            return next(seconds)
        except StopIteration:
            looked.set()
            return sum(waits)

    monkeypatch.setattr(threads, "PERIOD", 0.001)
    monkeypatch.setattr(threads, "HELD", 0.001)
    monkeypatch.setattr(threads, "_seconds_waited", waited)
    monkeypatch.setattr(threads.torch, "ones", lambda n: (loops.append(n), looked.set()))
    with threads.considerate():
        looked.wait(10)
    return bool(loops)


def test_on_a_quiet_machine_nothing_changes(monkeypatch):
    assert not held(monkeypatch, [0.0, 0.0002, 0.0])


def test_threads_step_back_where_they_have_to_wait_for_cores(monkeypatch):
    assert held(monkeypatch, [0.0, 0.0005])


def test_the_watcher_ends_with_the_last_user():
    with threads.considerate(), threads.considerate():
        assert "recvae-threads" in {thread.name for thread in threading.enumerate()}
    assert "recvae-threads" not in {thread.name for thread in threading.enumerate()}


@pytest.mark.skipif(not Path("/proc/self/schedstat").exists(), reason="Linux tells of waiting")
def test_waiting_is_seen():
    before = threads._seconds_waited()
    loop = [sys.executable, "-c", "while True: pass"]
    others = [subprocess.Popen(loop) for _ in range(2 * (os.cpu_count() or 1))]
    try:
        deadline = perf_counter() + 30
        while (waited := threads._seconds_waited()) == before and perf_counter() < deadline:
            sum(range(100_000))
        assert waited > before
    finally:
        for other in others:
            other.kill()
            other.wait()


def test_no_more_threads_than_the_quota_has_cores(monkeypatch, two_threads):
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    monkeypatch.setattr(threads.machine, "cores", lambda: 0.5)
    with threads.considerate():
        assert torch.get_num_threads() == 1


def test_the_number_that_a_user_has_chosen_stays(monkeypatch, two_threads):
    monkeypatch.setenv("OMP_NUM_THREADS", "2")
    monkeypatch.setattr(threads.machine, "cores", lambda: 1.0)
    with threads.considerate():
        assert torch.get_num_threads() == 2


def _recommend(model, histories, answers):
    answers.put(model.recommend(histories, 5)[0])


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no forks")
@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_a_fork_recommends(two_threads):
    histories = sp.random(300, 4000, density=0.02, format="csr", random_state=0, dtype=np.float32)
    model = rv.EASE().fit(histories)
    expected = model.recommend(histories, 5)[0]  # on two threads, which the fork does not have
    fork = get_context("fork")
    answers = fork.Queue()
    child = fork.Process(target=_recommend, args=(model, histories, answers), daemon=True)
    child.start()
    try:
        np.testing.assert_array_equal(answers.get(timeout=60), expected)
    finally:
        child.kill()
