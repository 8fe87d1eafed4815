"""How much longer a fit and lists take while other programs compute on the same cores.

    python -m benchmarks.speed.crowded
    python -m benchmarks.speed.crowded --loops 0 1 2 4 --epochs 8

A Mult-VAE of MovieLens 1M's shape is fitted, and recommends to all its users for two seconds, in a
process of its own: alone and beside busy loops, with the threads as the package leaves them and
considerate (see `recvae/engine/threads.py`). Ratios are to the first line.
"""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from time import perf_counter

import numpy as np

import recvae as rv
from benchmarks.common import machine, options
from benchmarks.speed.clock import alone, seconds_of
from benchmarks.speed.generated import by_kind
from recvae.engine import threads

SHAPE = (4_034, 3_468)
K, SERVED = 100, 2.0
LOOP = "while True: pass"


def main() -> None:
    """Measure, and print a line as soon as it is known."""
    parser = options(__doc__)
    parser.add_argument("--loops", type=int, nargs="+", default=[0, 1, 2], help="beside the fit")
    parser.add_argument("--epochs", type=int, default=4)
    args = parser.parse_args()
    print(machine())
    print("| busy loops | threads | fit, s | ratio | all lists, s | ratio |")
    print("|---:|---|---:|---:|---:|---:|")
    quiet: np.ndarray | None = None
    for n_loops in args.loops:
        for considerate in (False, True):
            with busy(n_loops):
                seconds, _ = alone(measure, args.epochs, considerate)
            quiet = np.array(seconds) if quiet is None else quiet
            cells = (
                f"{one:.2f} | {one / usual:.1f}" for one, usual in zip(seconds, quiet, strict=True)
            )
            kind = "considerate" if considerate else "as torch has them"
            print(f"| {n_loops} | {kind} | {' | '.join(cells)} |", flush=True)


@contextmanager
def busy(n_loops: int) -> Iterator[None]:
    """A context in which so many other processes compute without an end."""
    loops = [subprocess.Popen([sys.executable, "-c", LOOP]) for _ in range(n_loops)]
    try:
        yield
    finally:
        for loop in loops:
            loop.kill()
            loop.wait()


def measure(epochs: int, considerate: bool) -> tuple[float, float]:
    """The seconds of a fit, and the median of those for the lists of all users."""
    if not considerate:
        threads.considerate = nullcontext
    data = by_kind(*SHAPE)
    started = perf_counter()
    model = rv.MultVAE(epochs=epochs).fit(data)
    fitted = perf_counter() - started
    with threads.considerate():  # as a server does
        served = seconds_of(lambda: model.recommend(data, K), 3, SERVED)
    return fitted, float(np.median(served))


if __name__ == "__main__":
    main()
