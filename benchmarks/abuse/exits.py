"""Whether programs that have done their work also end well: none may abort while Python ends.

    python -m benchmarks.abuse.exits            # 1,000 of each kind
    python -m benchmarks.abuse.exits --fault    # with the fault that was, if it shows here

One kind reads a Parquet and a CSV file, fits, saves, loads and recommends; the other is `recvae
info`. Each program is a fork of a process that has imported all of it and has begun no thread. It
ends as others do: Python is taken down while threads that Arrow began still wait. The fault: Arrow
read Parquet from bytes of Python's, of which such a thread could drop the last reference then.
"""

import gc
import os
import shutil
import sys
from collections.abc import Callable
from contextlib import redirect_stdout
from io import BytesIO, StringIO
from pathlib import Path
from tempfile import mkdtemp
from typing import TypeAlias

import numpy as np
import pandas as pd
import pyarrow.csv
import pyarrow.dataset  # noqa: F401  before the forks, as what follows

import recvae as rv
import recvae.models.popularity
import recvae.saved.storage
from benchmarks.common import options
from recvae.__main__ import main as command
from recvae.disk import untrusted

Program: TypeAlias = Callable[[Path], object]


def main() -> None:
    """Run the programs, and print how they ended as it goes."""
    parser = options(__doc__)
    parser.add_argument("--runs", type=int, default=1000, help="of each kind")
    parser.add_argument("--kind", choices=KINDS, action="append", help="not both")
    parser.add_argument("--fault", action="store_true", help="let Arrow read bytes of Python's")
    args = parser.parse_args()
    if args.fault:
        untrusted.in_arrow = BytesIO  # type: ignore[assignment]
    gc.freeze()  # a fork would copy the memory of all that it looks through as it ends
    folder = Path(mkdtemp())  # the end of a fork would remove it, were it a context's
    status_of(prepare, folder)
    failed = sum(count_failed(name, args.runs, folder) for name in args.kind or KINDS)
    shutil.rmtree(folder)
    raise SystemExit(failed > 0)


def count_failed(name: str, runs: int, folder: Path) -> int:
    """Run a kind of program so often; say which ended badly, and how many did."""
    failed = 0
    for number in range(1, runs + 1):
        status = status_of(KINDS[name], folder)
        failed += status != 0
        if status or number % 100 == 0 or number == runs:
            print(f"{name}: {failed} of {number:,} failed; status {status}", flush=True)
    return failed


def status_of(program: Program, folder: Path) -> int:
    """The exit status of a program; -6 if it was aborted."""
    process = os.fork()
    if not process:
        program(folder)
        sys.exit()
    return os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])


def prepare(folder: Path) -> None:
    """Write what the programs read."""
    pairs = np.random.default_rng(0).integers(0, (300, 80), (6000, 2))
    plays = pd.DataFrame(pairs, columns=["user", "item"])
    plays.to_parquet(folder / "plays.parquet")
    plays.to_csv(folder / "plays.csv", index=False)
    rv.Popularity().fit(rv.read_interactions(plays)).save(folder / "model")


def read_save_load(folder: Path) -> None:
    """What scripts do."""
    rv.read_interactions(folder / "plays.csv")
    data, out = rv.read_interactions(folder / "plays.parquet"), folder / "saved"
    rv.Popularity().fit(data).save(out)
    rv.load_model(out).recommend(data.matrix, 5)


def info(folder: Path) -> None:
    """The command."""
    sys.argv = ["recvae", "info", str(folder / "model")]
    with redirect_stdout(StringIO()):
        command()


KINDS: dict[str, Program] = {"read, save, load": read_save_load, "recvae info": info}

if __name__ == "__main__":
    main()
