"""How programs end: a few of them, and that an abort would be counted."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
RUN = """
import os, sys
from benchmarks.abuse import exits

sys.argv[1:], here = ["--runs", "2"], os.getpid()
for kinds in (exits.KINDS, {"recvae info": lambda folder: os.abort()}):
    exits.KINDS = kinds
    try:
        exits.main()
    except SystemExit as end:
        if os.getpid() != here:  # it is one of the programs that ends
            raise
        print(f"ends with {end.code:d}", flush=True)
"""


@pytest.mark.slow
def test_programs_end_well_and_an_abort_is_counted():
    done = subprocess.run([sys.executable, "-c", RUN], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [
        "read, save, load: 0 of 2 failed; status 0",
        "recvae info: 0 of 2 failed; status 0",
        "ends with 0",
        "recvae info: 1 of 1 failed; status -6",
        "recvae info: 2 of 2 failed; status -6",
        "ends with 1",
    ]
