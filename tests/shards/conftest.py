"""Tables in parts, and the same table in one piece."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from tables_in_parts import write_parts


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
