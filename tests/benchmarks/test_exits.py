"""How programs end: a few of them, and that an abort would be counted."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FAULTY = """
import os
from benchmarks.abuse import exits

exits.KINDS.clear()
exits.KINDS["recvae info"] = lambda folder: os.abort()
exits.main()
"""


def run(*command: str) -> subprocess.CompletedProcess[str]:
    python = [sys.executable, *command, "--runs", "2"]
    return subprocess.run(python, cwd=ROOT, capture_output=True, text=True)


@pytest.mark.slow
def test_programs_end_well():
    done = run("-m", "benchmarks.abuse.exits")
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [
        "read, save, load: 0 of 2 failed; status 0",
        "recvae info: 0 of 2 failed; status 0",
    ]


@pytest.mark.slow
def test_an_abort_is_counted():
    done = run("-c", FAULTY)
    assert done.returncode == 1
    assert done.stdout.splitlines() == [
        "recvae info: 1 of 1 failed; status -6",
        "recvae info: 2 of 2 failed; status -6",
    ]
