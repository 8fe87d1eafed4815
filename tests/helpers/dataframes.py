"""A pandas table as a dataframe of each package."""

import duckdb
import polars as pl
import pyarrow as pa


def arrow(table):
    return pa.Table.from_pandas(table, preserve_index=False)


FRAMES = {
    "pandas": lambda table: table,
    "polars": lambda table: pl.from_arrow(arrow(table)),
    "arrow": arrow,
    "arrow stream": lambda table: arrow(table).to_reader(max_chunksize=2),
    "duckdb": lambda table: duckdb.from_arrow(arrow(table)),
}
