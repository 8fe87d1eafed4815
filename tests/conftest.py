"""What every test file may ask for."""

import gc
import os
from collections.abc import Iterator
from copy import deepcopy
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from browser import chromium
from dataframes import FRAMES
from hypothesis import settings
from postgresql import server
from tables_in_parts import write_parts

RARELY = 100_000
"""New objects between two garbage collections."""

settings.register_profile("full", deadline=None)  # nothing is asserted of a machine's speed
settings.register_profile("fast", settings.get_profile("full"), max_examples=25)  # `make check`
settings.load_profile("full")
gc.set_threshold(RARELY)  # what is imported stays, and looking through it took a tenth of the time


def pytest_collection_finish() -> None:
    """Let the collector pass over what was imported, above all as pytest and Python end."""
    gc.freeze()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Browsers, servers, real data are slow; files with slow tests begin, so that none is last."""
    for item in items:
        if {"browser", "postgresql", "real_data"} & set(getattr(item, "fixturenames", ())):
            item.add_marker(pytest.mark.slow)
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    items.sort(key=lambda item: item.path not in slow)


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
    import torch  # which the process that only hands tests out does not need

    torch.set_num_threads(1)


@pytest.fixture(scope="session", autouse=True)
def sample_drawn_once() -> Iterator[None]:
    """Drawing the sample takes a quarter of a second; a copy of it takes none."""
    from recvae.data.datasets import loading

    drawn = cache(loading.sample_tables)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(loading, "sample_tables", lambda: deepcopy(drawn()))
        yield


@pytest.fixture(scope="module")
def browser():
    """A headless Chromium; a module's own, since its event loop stands in the way of others."""
    with chromium() as started:
        yield started


@pytest.fixture(scope="session")
def postgresql():
    """The address of a PostgreSQL server that is the tests' own."""
    with server() as address:
        yield address


@pytest.fixture(params=FRAMES.values(), ids=FRAMES)
def frame(request):
    """Makes a pandas table a dataframe of some package."""
    return request.param


@pytest.fixture(scope="session")
def plays() -> pd.DataFrame:
    """3,000 plays of 120 users and 40 items in any order, some of them twice, some of no weight."""
    rng = np.random.default_rng(0)
    users, items = rng.integers(0, 120, 3000), (40 * rng.random(3000) ** 2).astype(int)
    table = pd.DataFrame({"user": [f"u{user:03}" for user in users], "item": items + 500})
    return table.assign(plays=rng.integers(-1, 4, 3000) + 0.1, title="unread")


@pytest.fixture(scope="session")
def parts(plays, tmp_path_factory) -> Path:
    """The same as Parquet files of very different lengths, some of them empty."""
    return write_parts(
        plays, [0, 1, 1, 30, 1000, 1010, 2990, 2990], tmp_path_factory.mktemp("parts")
    )
