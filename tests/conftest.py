"""What every test file may ask for."""

import os
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The directory of real data sets that RECVAE_DATA names."""
    folder = os.environ.get("RECVAE_DATA")
    if not folder or not (Path(folder) / "ml-1m").is_dir():
        pytest.skip("needs real data sets: set RECVAE_DATA to a directory with ml-1m/ in it")
    return Path(folder)
