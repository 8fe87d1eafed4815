"""Sorting: lines in any order become users in ascending order of their ids, shard by shard.

The lines of a chunk are parted by the shards that their users belong to; then each shard takes its
part of every chunk, in the order of the table. So the lines of a user come together as if the
table had been read at once, and only a chunk or a shard is in memory.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet
import scipy.sparse as sp

from recvae.cluster.job import Files, FileTask
from recvae.cluster.table import Table
from recvae.data.interactions import Interactions
from recvae.data.reading.build import build_interactions, to_weights
from recvae.data.reading.ids import encode
from recvae.data.shards.files import ids_as_array, write_shard


@dataclass(frozen=True, kw_only=True)
class Scan(FileTask):
    """Note a chunk's items, and the users of every so many-th line.

    Attributes:
        table: what to read.
        stride: how many lines are between those.
    """

    table: Table
    stride: int

    def fill(self, number: int, path: Path) -> None:
        """Write the file of a number."""
        lines = self.table.read(number)
        sample = lines[self.table.user].iloc[self.stride // 2 :: self.stride]
        codes, users = _encode(sample, "user")
        _, items = _encode(lines[self.table.item], "item")
        notes = {"users": _in_a_list(users[codes]), "items": _in_a_list(items)}
        pa.parquet.write_table(pa.table(notes), path)


def _encode(ids: "pd.Series | pd.Index", name: str) -> tuple[np.ndarray, pd.Index]:
    """Number ids, of which there may be none."""
    return encode(ids, name) if len(ids) else (np.empty(0, np.int32), pd.Index([], dtype="int64"))


def _in_a_list(ids: pd.Index) -> pa.ListArray:
    return pa.ListArray.from_arrays(pa.array([0, len(ids)], pa.int32()), ids_as_array(ids))


def read_notes(notes: Files, n_chunks: int, n_shards: int) -> tuple[pd.Index, pd.Index]:
    """The first user of each shard but the first, and all items, ascending."""
    files = [pa.parquet.read_table(notes[number]) for number in range(n_chunks)]
    users, items = (_joined(files, name) for name in ("users", "items"))
    starts = np.arange(1, n_shards) * len(users) // n_shards
    bounds = users.sort_values()[starts[: len(users)]].unique()
    return bounds, _encode(items, "item")[1]


def _joined(files: list[pa.Table], name: str) -> pd.Index:
    parts = [file[name].combine_chunks().flatten() for file in files]
    filled = [part for part in parts if len(part)] or parts[:1]
    return pd.Index(pa.chunked_array(filled).to_pandas())


@dataclass(frozen=True, kw_only=True)
class Partition(FileTask):
    """Part the lines of a chunk by shards, as the batches of an Arrow file.

    Attributes:
        table: what to read.
        bounds: the first user of each shard but the first.
        items: a Parquet file of all items, whose numbers take the place of the ids.
    """

    table: Table
    bounds: pd.Index
    items: Path

    def fill(self, number: int, path: Path) -> None:
        """Write the file of a number."""
        lines = self.table.read(number)
        codes, users = _encode(lines[self.table.user], "user")
        of_line, items = _encode(lines[self.table.item], "item")
        columns = pd.read_parquet(self.items).index.get_indexer(items).astype(np.int32)
        shards = self.bounds.searchsorted(users, side="right")[codes]
        order = np.argsort(shards, kind="stable")
        batch = pa.RecordBatch.from_pydict(
            {
                "user": ids_as_array(users[codes[order]]),
                "item": columns[of_line[order]],
                "weight": self._weights(lines)[order],
            }
        )
        ends = np.searchsorted(shards[order], np.arange(len(self.bounds) + 1), side="right")
        options = pa.ipc.IpcWriteOptions(compression="lz4")
        with pa.ipc.new_file(path, batch.schema, options=options) as file:
            for start, end in zip([0, *ends[:-1]], ends, strict=True):
                file.write_batch(batch.slice(start, end - start))

    def _weights(self, lines: dict[str, pd.Series]) -> np.ndarray:
        if self.table.value is None:
            return np.ones(len(lines[self.table.user]), dtype=np.float32)
        return to_weights(lines[self.table.value])


@dataclass(frozen=True, kw_only=True)
class Merge(FileTask):
    """Make users x items of a shard's part of every chunk; lines of the same are summed.

    Attributes:
        parts: what `Partition` made.
        n_chunks: how many of them.
        n_items: how many columns there are.
        min_weight: what weighs less is dropped, once the lines are summed.
    """

    parts: Files
    n_chunks: int
    n_items: int
    min_weight: float | None

    def fill(self, number: int, path: Path) -> None:
        """Write the file of a number."""
        write_shard(self._users(number), path)

    def _users(self, number: int) -> Interactions:
        parts = [self._part(chunk, number) for chunk in range(self.n_chunks)]
        filled = [part for part in parts if part.num_rows]
        items = pd.DataFrame(index=pd.RangeIndex(self.n_items))
        if not filled:
            nothing = sp.csr_matrix((0, self.n_items), dtype=np.float32)
            return Interactions(nothing, pd.DataFrame(index=[]), items, positions=np.empty(0))
        lines = pa.concat_tables(filled)
        users = lines["user"].to_pandas()
        data = build_interactions(users, lines["item"].to_numpy(), lines["weight"].to_numpy())
        columns = data.item_ids.to_numpy()[data.matrix.indices]
        matrix = sp.csr_matrix(
            (data.matrix.data, columns, data.matrix.indptr), shape=(len(data.users), self.n_items)
        )
        data = Interactions(matrix, data.users, items, positions=data.positions)
        return data if self.min_weight is None else data.keep(matrix.data >= self.min_weight)

    def _part(self, chunk: int, number: int) -> pa.Table:
        with pa.memory_map(str(self.parts[chunk])) as file:
            return pa.Table.from_batches([pa.ipc.open_file(file).get_batch(number)])
