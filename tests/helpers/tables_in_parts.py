"""A table as Parquet files."""

from itertools import pairwise
from pathlib import Path

import pandas as pd


def write_parts(table: pd.DataFrame, cuts: list[int], folder: Path) -> Path:
    """Write a table as Parquet files, cut before these lines, in folders as other tools make."""
    places = [0, *sorted(cuts), len(table)]
    for number, (start, end) in enumerate(pairwise(places)):
        path = folder / f"day={number // 2:02}" / f"part-{number:03}.parquet"
        path.parent.mkdir(parents=True, exist_ok=True)
        table.iloc[start:end].to_parquet(path, row_group_size=7)
    return folder
