"""Ten million lines into a database and out of it, beside what its driver alone takes.

    python -m benchmarks.speed.databases postgresql://writer@localhost/shop
    python -m benchmarks.speed.databases sqlite:///shop.db duckdb:///shop.duckdb --lines 1000000

Plays at random are written to the table `recvae_speed`, which stays there, and read again; what is
read must be what was written. The driver alone hands over the same query as an Arrow table.
"""

from collections.abc import Iterator
from time import perf_counter

import numpy as np
import pandas as pd

import recvae as rv
from benchmarks.common import options
from recvae.disk.databases import read_query, without_password
from recvae.disk.writing import write_tables

TABLE = "recvae_speed"
QUERY = f'SELECT "user", item, stars FROM {TABLE}'
PART = 2**20
USERS, ITEMS = 200_000, 20_000


def main() -> None:
    """Measure each database."""
    parser = options(__doc__)
    parser.add_argument("databases", nargs="+", help="addresses")
    parser.add_argument("--lines", type=int, default=10**7)
    args = parser.parse_args()
    print("| database | step | seconds | million lines a second |\n|---|---|---:|---:|")
    for database in args.databases:
        for step, seconds in measure(database, args.lines):
            name, speed = without_password(database), args.lines / seconds / 1e6
            print(f"| {name} | {step} | {seconds:.1f} | {speed:.2f} |", flush=True)


def measure(database: str, lines: int) -> Iterator[tuple[str, float]]:
    """The steps, and the seconds of each; raise AssertionError if what is read is not the same."""
    started = perf_counter()
    write_tables(plays(lines), f"{database}#{TABLE}")
    yield "write", perf_counter() - started
    started = perf_counter()
    read_query(database, QUERY)
    yield "read: the driver alone", perf_counter() - started
    started = perf_counter()
    data = rv.read_interactions(database, query=QUERY, value="stars", duplicates="max")
    yield "read: interactions", perf_counter() - started
    written = pd.concat(plays(lines))
    expected = rv.read_interactions(written, value="stars", duplicates="max")
    assert data.fingerprint() == expected.fingerprint()


def plays(lines: int) -> Iterator[pd.DataFrame]:
    """So many plays at random, in parts."""
    rng = np.random.default_rng(0)
    for start in range(0, lines, PART):
        n = min(PART, lines - start)
        users, items = rng.integers(0, USERS, n), rng.integers(0, ITEMS, n)
        yield pd.DataFrame({"user": users, "item": items, "stars": rng.integers(1, 6, n)})


if __name__ == "__main__":
    main()
