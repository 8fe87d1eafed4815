"""Models that every released format of the folder holds, loaded by this version."""

from pathlib import Path

import pandas as pd
import pytest

import recvae as rv
from recvae.disk.manifest import FORMAT

FIRST = 3
"""Formats 1 and 2 were never released."""
GOLDEN = Path(__file__).parent / "golden"
FOLDERS = sorted(path.parent for path in GOLDEN.glob("format-*/*/model.json"))


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda path: f"{path.parent.name}-{path.name}")
def test_a_golden_model_recommends_what_it_did(folder):
    histories = pd.read_csv(GOLDEN / "histories.csv")
    lists = rv.load_model(folder, device="cpu").recommend_table(histories, k=3)
    expected = pd.read_csv(folder / "expected.csv")
    pd.testing.assert_frame_equal(lists, expected, rtol=1e-4, check_dtype=False)


def test_every_format_has_golden_models():
    formats = {folder.parent.name for folder in FOLDERS}
    assert formats == {f"format-{number}" for number in range(FIRST, FORMAT + 1)}
