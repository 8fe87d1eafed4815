"""A table ten times the memory that a process may take: shards, training, lists.

    python -m benchmarks.speed.out_of_core  # 700 MB of memory, 7 GB of table
    python -m benchmarks.speed.out_of_core --cap 512 --times 1 --folder /data/scratch

A table of plays is generated, as Parquet files in no order. `recvae shard`, `train` and
`recommend` then run one after another, each as a process that the kernel gives no more than the cap
of memory of its own (RLIMIT_DATA); nor may what is resident, code and mapped files included, exceed
it. The size of the table is that of its files. Before that, a table of 1% of the cap goes the same
way, and must come to the users, items, weights and lists that it gives in memory.
"""

import os
import resource
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet

import recvae as rv
from benchmarks.common import options

MB = 10**6
ITEMS = 2000
LINES_PER_USER = 60
FILE_LINES = 2**20
BYTES_PER_LINE = 76
"""About as many in a file; the number of users follows from it."""
TRAINING = ("epochs=1", "hidden=[]", "latent=32", "device=cpu")
ON_CPU = ("--device", "cpu")
FRUGAL = {
    "ARROW_DEFAULT_MEMORY_POOL": "system",
    "DUCKDB_JE_MALLOC_CONF": "retain:false,dirty_decay_ms:1000,muzzy_decay_ms:0",
    "OMP_NUM_THREADS": "1",
}
"""Arrow's pool reserves a gigabyte, DuckDB's keeps what is freed, and each thread has a heap."""
STACK = 2 * MB
SORTING = 4 / 7
"""The part of the cap that DuckDB may take: the rest is for Python, the package and Arrow."""
ODD = (0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9, 0xD6E8FEB86659FD93)
DIGITS = 16 * len(ODD)
HEX = np.frombuffer(b"0123456789abcdef", dtype=np.uint8)


@dataclass
class Cost:
    """What a process took."""

    name: str
    seconds: float
    megabytes: float


def main() -> None:
    """Check a small table, then measure a large one."""
    parser = options(__doc__)
    parser.add_argument("--cap", type=int, default=700, help="megabytes of memory for a process")
    parser.add_argument("--times", type=float, default=10, help="how often the table is as large")
    parser.add_argument("--lines", type=int, default=2**18, help="interactions of a shard")
    parser.add_argument("--folder", type=Path, help="for 3 times the table; else a temporary one")
    args = parser.parse_args()
    with TemporaryDirectory(dir=args.folder) as folder:
        small, large = Path(folder) / "small", Path(folder) / "large"
        generate(small / "plays", args.cap / 100)
        list(go_through(small, args.cap, lines=20_000))
        print(compare(small), flush=True)
        megabytes = generate(large / "plays", args.cap * args.times)
        print(f"table: {megabytes:,.0f} MB in files, {megabytes / args.cap:.1f} times the cap\n")
        print("| step | seconds | MB at the peak |\n|---|---:|---:|", flush=True)
        costs = [say(cost) for cost in go_through(large, args.cap, args.lines)]
        users, items = rv.read_shards(large / "shards").shape
        print(f"\n{users:,} users x {items:,} items")
    raise SystemExit(any(cost.megabytes > args.cap for cost in costs))


def say(cost: Cost) -> Cost:
    """Print a line as soon as it is known."""
    print(f"| {cost.name} | {cost.seconds:,.0f} | {cost.megabytes:,.0f} |", flush=True)
    return cost


def generate(folder: Path, megabytes: float) -> float:
    """Write files of plays until they are so large; say how large they are."""
    folder.mkdir(parents=True)
    n_users = max(int(megabytes * MB / BYTES_PER_LINE / LINES_PER_USER), 100)
    size = 0.0
    for number, table in enumerate(plays(n_users, min(FILE_LINES, n_users * LINES_PER_USER // 4))):
        path = folder / f"plays-{number:05}.parquet"
        pa.parquet.write_table(table, path, row_group_size=FILE_LINES // 4)
        size += path.stat().st_size / MB
        if size >= megabytes:
            break
    return size


def plays(n_users: int, n_lines: int) -> Iterator[pa.Table]:
    """Tables of plays without end: half of an item's plays are by its fame, half by a kind."""
    rng = np.random.default_rng(0)
    while True:
        users = rng.integers(0, n_users, n_lines)
        fame = (ITEMS * rng.random(n_lines) ** 3).astype(np.int64)
        items = (fame + np.where(rng.random(n_lines) < 0.5, users % 50 * (ITEMS // 50), 0)) % ITEMS
        names = np.char.add("item-", np.char.zfill(np.arange(ITEMS).astype(str), 6))
        yield pa.table(
            {
                "user": hexadecimal(users),
                "item": pa.DictionaryArray.from_arrays(items, names).dictionary_decode(),
                "played_at": pa.array(rng.integers(10**9, 2 * 10**9, n_lines)),
            }
        )


def hexadecimal(numbers: np.ndarray) -> pa.StringArray:
    """Ids as long as a SHA-256, each of a number."""
    mixed = [numbers.astype(np.uint64) * np.uint64(odd) for odd in ODD]
    octets = np.stack(mixed, axis=1).view(np.uint8)
    digits = HEX[np.stack([octets >> 4, octets & 15], axis=2)]
    offsets = np.arange(len(numbers) + 1, dtype=np.int32) * DIGITS
    return pa.StringArray.from_buffers(
        len(numbers), pa.py_buffer(offsets.tobytes()), pa.py_buffer(digits.tobytes())
    )


def go_through(folder: Path, cap: int, lines: int) -> Iterator[Cost]:
    """Shard, train and recommend under the cap."""
    shards, model, lists = (folder / name for name in ("shards", "model", "lists"))
    settings = [f"--set={setting}" for setting in TRAINING]
    train = ["--data", shards, "--model", "mult-vae", "--out", model, *settings]
    sort = ["--lines", lines, "--memory", f"{cap * SORTING / 1000}"]
    yield limited(cap, "shard", folder / "plays", "--out", shards, *sort)
    yield limited(cap, "train", *train)
    yield limited(cap, "recommend", model, "--history", shards, "--out", lists, *ON_CPU)


def limited(cap: int, *arguments: object) -> Cost:
    """Run a command with so many megabytes of memory of its own; its notes go to stderr."""
    started = perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-m", "recvae", *map(str, arguments)],
        stdout=subprocess.DEVNULL,
        env=os.environ | FRUGAL,
        preexec_fn=partial(_limit, cap),
    )
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"recvae {arguments[0]} failed under the cap of {cap} MB.")
    return Cost(f"`recvae {arguments[0]}`", perf_counter() - started, usage.ru_maxrss * 1024 / MB)


def _limit(cap: int) -> None:
    """Limit this process's memory; each thread's stack counts in full, though little is used."""
    resource.setrlimit(resource.RLIMIT_DATA, (cap * MB, cap * MB))
    resource.setrlimit(resource.RLIMIT_STACK, (STACK, STACK))


def compare(folder: Path) -> str:
    """Compare what came with what the same table gives in memory, and say so."""
    data = rv.read_interactions(folder / "plays", min_user_items=5)
    shards = rv.read_shards(folder / "shards").in_memory()
    pd.testing.assert_frame_equal(shards.users, data.users)
    pd.testing.assert_frame_equal(shards.items, data.items)
    assert abs(shards.matrix - data.matrix).max() == 0
    model = rv.load_model(folder / "model", device="cpu")
    entries = data.matrix.tocoo()
    table = pd.DataFrame({"user": data.user_ids[entries.row], "item": data.item_ids[entries.col]})
    files = sorted((folder / "lists").glob("*.parquet"))
    lists = pd.concat(map(pd.read_parquet, files), ignore_index=True)
    expected = model.recommend_table(table)
    pd.testing.assert_frame_equal(lists, expected)
    return f"{data}: the same users, items and weights, the same {len(lists):,} lines of lists"


if __name__ == "__main__":
    main()
