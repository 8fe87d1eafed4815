"""Threads on machines that do other things too, under quotas, and after a fork."""

import os
import subprocess
import sys
import threading
from multiprocessing import get_context
from pathlib import Path
from time import perf_counter, sleep
from types import SimpleNamespace

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


@pytest.fixture
def machine(monkeypatch):
    """Act a machine on which threads have waited so long, in all, at each look."""
    seen = SimpleNamespace(looks=0, teams=[], looked=threading.Event(), began=threading.Event())

    def waiting(*seconds: float, period: float = 0.001, held: float = 0.001) -> SimpleNamespace:
        def waited() -> float:
            seen.looks += 1
            if seen.looks >= len(seconds):
                seen.looked.set()
            return seconds[min(seen.looks, len(seconds)) - 1]

        def team(size: int) -> None:
            seen.teams.append(size)
            seen.began.set()

        monkeypatch.setattr(threads, "PERIOD", period)
        monkeypatch.setattr(threads, "HELD", held)
        monkeypatch.setattr(threads, "_seconds_waited", waited)
        monkeypatch.setattr(threads.torch, "ones", team)
        return seen

    return waiting


def test_on_a_quiet_machine_nothing_changes(machine):
    seen = machine(0.0, 0.0002, 0.0004, 0.0006)
    with threads.considerate():
        assert seen.looked.wait(10)
    assert seen.teams == []


def test_threads_step_back_where_they_have_to_wait_for_cores(machine):
    seen = machine(0.0, 0.0, 0.0005, 0.9, 0.9001)  # what is waited while a team is held is past
    with threads.considerate():
        assert seen.looked.wait(10)
    assert seen.teams == [threads.ENOUGH]
    assert threads.ENOUGH > 2**16  # torch divides loops of 2**15 elements and more


def test_while_a_second_team_is_held_nobody_looks(machine):
    seen = machine(0.0, 0.0005, held=60)
    started = perf_counter()
    with threads.considerate():
        assert seen.began.wait(10)
        looks = seen.looks
        sleep(0.05)
        assert seen.looks == looks == 2
    assert perf_counter() - started < 30  # the last user does not wait for it


def test_the_watcher_ends_with_the_last_user():
    with threads.considerate(), threads.considerate():
        assert "recvae-threads" in {thread.name for thread in threading.enumerate()}
    assert "recvae-threads" not in {thread.name for thread in threading.enumerate()}


def test_the_waiting_of_all_threads_counts(monkeypatch, tmp_path):
    for name, said in {"1": "7 2000000000 3", "2": "9 500000000 4"}.items():
        (tmp_path / name).mkdir()
        (tmp_path / name / "schedstat").write_text(said)
    (tmp_path / "3" / "schedstat").mkdir(parents=True)  # can't be read, as of one that has ended
    monkeypatch.setattr(threads, "Path", lambda _: tmp_path)
    assert threads._seconds_waited() == 2.5


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


@pytest.mark.parametrize(("cores", "expected"), [(0.5, 1), (1.0, 1), (1.5, 2), (8.0, 2)])
def test_no_more_threads_than_the_quota_has_cores(cores, expected, monkeypatch, two_threads):
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    monkeypatch.setattr(threads.machine, "cores", lambda: cores)
    with threads.considerate():
        assert torch.get_num_threads() == expected


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
    histories = sp.random(300, 1500, density=0.02, format="csr", random_state=0, dtype=np.float32)
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


def test_parts_are_done_side_by_side_and_come_in_order(two_threads):
    together = threading.Barrier(2, timeout=60)

    def work(part):
        together.wait()
        return part

    assert list(threads.in_threads(work, range(6))) == [0, 1, 2, 3, 4, 5]


def test_after_a_part_that_fails_no_others_begin(two_threads):
    begun = []

    def work(part):
        begun.append(part)
        if part == 0:
            raise ValueError(part)
        sleep(0.01)

    with pytest.raises(ValueError, match="0"):
        list(threads.in_threads(work, range(1000)))
    assert len(begun) < 500
