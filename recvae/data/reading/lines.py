"""Lines: reads files with a line per user: the user, then the items, separated by spaces."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from recvae.data.reading.columns import one_clear_error, to_pandas
from recvae.data.reading.text import ID, integers_or_text


def read_lines(paths: Sequence[Path]) -> pd.DataFrame:
    """Read files with a line per user: the user, then the items, separated by white space.

    Returns:
        A line per user and item, in the order of the files: `user` and `item`, categoricals of
        integers if all ids of the files are written so, else of strings; and `file`, the number of
        the file in `paths`. A user without items has no line.

    Raises:
        DataError: a file is not text in UTF-8.
    """
    parts = []
    for path in paths:
        with one_clear_error(path):
            parts.append(_pairs(path.read_bytes()))
    columns = to_pandas(pa.concat_tables(parts))
    files = np.repeat(np.arange(len(parts)), [len(part) for part in parts])
    return pd.DataFrame(
        {name: integers_or_text(ids) for name, ids in columns.items()} | {"file": files}
    )


def _pairs(content: bytes) -> pa.Table:
    """The users and items of a file as texts."""
    lines = pc.ascii_trim_whitespace(pa.array(content.splitlines(), pa.binary()).cast(pa.string()))
    fields = pc.ascii_split_whitespace(lines.filter(pc.not_equal(lines, pa.scalar(""))))
    ids, lengths = fields.flatten(), fields.value_lengths().to_numpy()
    starts = np.cumsum(lengths) - lengths
    is_item = np.ones(len(ids), dtype=bool)
    is_item[starts] = False
    users = ids.take(pa.array(np.repeat(starts, lengths - 1)))
    return pa.table({"user": users.cast(ID), "item": ids.filter(pa.array(is_item)).cast(ID)})
