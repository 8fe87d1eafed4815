"""How long `recvae recommend` takes to start, against what torch alone takes to import.

    python -m benchmarks.speed.startup
    python -m benchmarks.speed.startup --runs 21

A small saved model recommends to one short history, in a process of its own, in turn with others
that only import torch. What is shown is processor time, which other work on the machine disturbs
less than the clock; the last line is the ratio of the medians.
"""

import resource
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

import recvae as rv
from benchmarks.common import options
from benchmarks.speed.clock import spread


def main() -> None:
    """Save a model, time the processes, print a line for each kind and the ratio."""
    parser = options(__doc__)
    parser.add_argument("--runs", type=int, default=11)
    args = parser.parse_args()
    with TemporaryDirectory() as folder:
        commands = {"import torch": ["-c", "import torch"], "recvae recommend": _recommend(folder)}
        seconds: dict[str, list[float]] = {name: [] for name in commands}
        for _ in range(args.runs):
            for name, command in commands.items():
                seconds[name].append(processor_seconds(command))
    for name, values in seconds.items():
        print(f"{name}: {spread(values)}")
    torch, recommend = (np.median(values) for values in seconds.values())
    print(f"ratio: {recommend / torch:.2f}")


def processor_seconds(arguments: list[str]) -> float:
    """What a process of Python takes of the processor."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, *arguments], check=True, stdout=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def _recommend(folder: str) -> list[str]:
    """The arguments that recommend to one history by a small model, both in a folder."""
    model, history = Path(folder, "model"), Path(folder, "history.csv")
    rv.MultVAE(epochs=1).fit(rv.load_dataset("sample")).save(model)
    history.write_text("item\n1\n2\n3\n", encoding="utf-8")
    return ["-m", "recvae", "recommend", str(model), "--history", str(history)]


if __name__ == "__main__":
    main()
