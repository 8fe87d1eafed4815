"""Parsing: turns a file of a release into a table, as its declaration says."""

from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
from pyarrow import csv

from recvae.data.datasets.declaration import File, SectionFiles, TableFile
from recvae.data.reading import read_lines
from recvae.data.reading.text import SEPARATOR, open_text
from recvae.disk.untrusted import in_arrow

SECTION = {"user": pa.int32(), "rating": pa.float32(), "date": pa.date32()}
DAY = 86_400
"""The seconds of a day."""


def parse(file: File, path: Path) -> pd.DataFrame:
    """Parse a file into columns named as in its declaration, without missing values.

    Raises:
        ValueError, KeyError, pyarrow.ArrowException: it is damaged, or of another layout.
    """
    if isinstance(file, TableFile):
        return _parse_table(file, path)
    if isinstance(file, SectionFiles):
        return _parse_sections(path)
    return read_lines([path])[["user", "item"]].astype(np.int64)


def _parse_table(file: TableFile, path: Path) -> pd.DataFrame:
    kept = {name: pa.type_for_alias(kind) for name, kind in file.columns.items() if kind}
    published = dict(zip(file.columns, file.header or file.columns, strict=True))
    table = csv.read_csv(
        open_text(path, file.separator),
        csv.ReadOptions(
            column_names=None if file.header else list(file.columns), encoding=file.encoding
        ),
        csv.ParseOptions(
            delimiter=SEPARATOR if len(file.separator) > 1 else file.separator,
            quote_char='"' if file.separator == "," else False,
            newlines_in_values=file.separator == "," and pa.string() in kept.values(),
        ),
        csv.ConvertOptions(
            column_types={published[name]: kind for name, kind in kept.items()},
            include_columns=[published[name] for name in kept],
        ),
    ).rename_columns(list(kept))
    _require_values(table, table.column_names)
    # Columns are given up one by one, so that no more than one is held twice.
    return table.to_pandas(split_blocks=True, self_destruct=True)


def _parse_sections(path: Path) -> pd.DataFrame:
    # An item's line `1:` is read as one without rating and date.
    lines = csv.read_csv(
        in_arrow(path.read_bytes().replace(b":", b",,")),
        csv.ReadOptions(column_names=list(SECTION)),
        convert_options=csv.ConvertOptions(column_types=SECTION),
    )
    _require_values(lines, ["user"])
    is_item = lines["rating"].is_null().to_numpy()
    if not is_item[:1].all():
        raise ValueError("it does not begin with an item, such as `1:`")
    items = lines["user"].filter(is_item).to_numpy()[np.cumsum(is_item) - 1]
    ratings = lines.filter(~is_item)
    _require_values(ratings, ["date"])
    users, stars, days = (ratings[name].to_numpy() for name in SECTION)
    seconds = days.astype("datetime64[D]").astype(np.int64) * DAY
    columns = {"user": users, "item": items[~is_item], "rating": stars, "timestamp": seconds}
    return pd.DataFrame(columns, copy=False)


def _require_values(table: pa.Table, names: Iterable[str]) -> None:
    for name in names:
        if nulls := table[name].null_count:
            raise ValueError(f"{nulls:,} values of column {name!r} are missing")
