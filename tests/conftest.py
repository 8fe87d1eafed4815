"""What every test file may ask for."""

import os
from pathlib import Path

import pytest
import torch
from browser import chromium
from hypothesis import settings

settings.register_profile("untimed", deadline=None)  # nothing is asserted of a machine's speed
settings.load_profile("untimed")


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The directory of real data sets that RECVAE_DATA names."""
    folder = os.environ.get("RECVAE_DATA")
    if not folder or not (Path(folder) / "ml-1m").is_dir():
        pytest.skip("needs real data sets: set RECVAE_DATA to a directory with ml-1m/ in it")
    return Path(folder)


@pytest.fixture(scope="session", autouse=True)
def one_torch_thread() -> None:
    """Many threads wait for each other more than they work on nets as small as the tests'."""
    torch.set_num_threads(1)


@pytest.fixture(scope="module")
def browser():
    """A headless Chromium; a module's own, since its event loop stands in the way of others."""
    with chromium() as started:
        yield started
