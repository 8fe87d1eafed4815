"""How fast the engine is, beside the plain way and others: the figures of docs/performance.md.

    make bench                               # all of it: hours
    make bench PARTS=training SCALE=0.1      # a part, in minutes; figures go to build/bench

Each part prints a table, and writes its figures and its picture. Nothing else should run meanwhile.
"""

from argparse import Namespace
from time import perf_counter
from types import ModuleType
from typing import Any

import pandas as pd

from benchmarks.common import machine, options, run_parts

PARTS = (
    *("training", "parts", "catalogue", "sampling", "scoring", "quality", "checkpoints"),
    *("processes", "peers", "gpu"),
)
"""The modules beside this one; each has `measure`, which gives a line of a table at a time."""


def main() -> None:
    """Measure the parts named, or all."""
    parser = options(__doc__)
    parser.add_argument(
        "--scale", type=float, default=1.0, help="of sizes, of seeds on real data (%(default)s)"
    )
    run_parts(parser, "benchmarks.speed.engine", PARTS, measure)


def measure(part: ModuleType, args: Namespace) -> dict[str, Any]:
    """The figures of a part; each line is printed as soon as it is known."""
    print(f"\n{part.__name__}, scale {args.scale:g}, on {machine()}", flush=True)
    lines, began = [], perf_counter()
    for line in part.measure(args.scale):
        lines.append(line)
        print("  ".join(f"{name}: {value}" for name, value in line.items()), flush=True)
    print(pd.DataFrame(lines).to_string(index=False, na_rep=""))
    minutes = round((perf_counter() - began) / 60, 1)
    print(f"{minutes} minutes")
    return {"machine": machine(), "scale": args.scale, "minutes": minutes, "lines": lines}


if __name__ == "__main__":
    main()
