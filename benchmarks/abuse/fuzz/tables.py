"""Tables: Parquet and NumPy files that are well formed and say something else."""

import json
from collections.abc import Callable
from functools import cache
from io import BytesIO
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.abuse.fuzz.forgery import forged_json, with_extremes
from recvae.disk.untrusted import in_arrow


def forged_table(content: bytes, rng: np.random.Generator) -> bytes:
    """A Parquet file with other rows, ids, columns, types or metadata."""
    if rng.random() < 0.02:
        return bombs()[rng.integers(2)]
    if rng.random() < 0.3:
        return _with_forged_metadata(content, rng)
    table = pd.read_parquet(in_arrow(content))
    with BytesIO() as file:
        FORGERIES[rng.integers(len(FORGERIES))](table).to_parquet(file)
        return file.getvalue()


def forged_array(content: bytes, rng: np.random.Generator) -> bytes:
    """A NumPy file of another type, shape or content."""
    array = np.load(BytesIO(content))
    kinds: list[Callable[[], np.ndarray]] = [
        lambda: array[:-1],
        lambda: np.concatenate([array, array]),
        lambda: array.astype("float64"),
        lambda: array.astype("int8"),
        lambda: array.astype("U3"),
        lambda: array[:, None],
        lambda: array[::-1].copy(),
        lambda: np.lib.stride_tricks.as_strided(array, (1 << 16,), (0,)),
        *[lambda: with_extremes(array, rng)] * 6,
    ]
    with BytesIO() as file:
        np.save(file, kinds[rng.integers(len(kinds))](), allow_pickle=False)
        return file.getvalue()


def _with_forged_metadata(content: bytes, rng: np.random.Generator) -> bytes:
    """A Parquet file whose notes for pandas say something else."""
    table = pq.read_table(in_arrow(content))
    described = forged_json(json.loads(table.schema.metadata[b"pandas"]), rng)
    table = table.replace_schema_metadata({"pandas": json.dumps(described)})
    return _written(table)


def _ids(change: Callable[[list[Any]], Any]) -> Callable[[pd.DataFrame], pd.DataFrame]:
    """A change of the ids of a table."""

    def forge(table: pd.DataFrame) -> pd.DataFrame:
        """The table with other ids."""
        return table.set_axis(pd.Index(change(table.index.tolist()), name=table.index.name))

    return forge


@cache
def bombs() -> list[bytes]:
    """A million rows in a few bytes; and 4 GB of text, one long text in each row."""
    rows = pa.table({"item": pa.array(["a"] * 10**6)})
    text = pa.DictionaryArray.from_arrays(np.zeros(4000, np.int32), pa.array(["x" * 10**6]))
    return [_written(rows), _written(pa.table({"title": text}))]


def _objects(values: list[Any]) -> pd.api.extensions.ExtensionArray:
    """A column of what no column of ours holds."""
    return pd.array(values, dtype=object)


def _written(table: pa.Table) -> bytes:
    """The bytes of a Parquet file."""
    with BytesIO() as file:
        pq.write_table(table, file)
        return file.getvalue()


FORGERIES: list[Callable[[pd.DataFrame], pd.DataFrame]] = [
    _ids(lambda ids: [*ids[:-1], ids[0]]),
    _ids(lambda ids: [*ids[:-1], None]),
    _ids(lambda ids: [float(n) for n in range(len(ids))]),
    _ids(lambda ids: [b"bytes" + str(n).encode() for n in ids]),
    _ids(lambda ids: ids[::-1]),
    _ids(lambda ids: pd.to_datetime(range(len(ids)))),
    _ids(lambda ids: pd.Categorical([str(n) for n in ids])),
    _ids(lambda ids: [f"{n}\ud7ff" for n in ids]),
    lambda table: table.iloc[1:],
    lambda table: table.iloc[:0],
    lambda table: pd.concat([table, table]),
    lambda table: table.reset_index(drop=True),
    lambda table: table.assign(more=1).set_index("more", append=True),
    lambda table: table.assign(title=range(len(table))),
    lambda table: table.assign(title=_objects([[n] for n in range(len(table))])),
    lambda table: table.assign(title=_objects([{"a": n} for n in range(len(table))])),
    lambda table: table.assign(title=None),
    lambda table: table.drop(columns=table.columns),
]
