"""How fast the engine is, beside the plain way and others: the figures of docs/performance.md.

    python -m benchmarks.speed.engine                          # all of it: hours
    python -m benchmarks.speed.engine training --scale 0.1     # one part, on less

Each part writes benchmarks/figures/engine/PART.json and prints a table. Nothing else should run
meanwhile.
"""

import argparse
import json
import platform
from importlib import import_module
from pathlib import Path
from typing import Any

import pandas as pd
import torch

FIGURES = Path("benchmarks/figures/engine")
PARTS = (
    "training",
    "parts",
    "catalogue",
    "sampling",
    "scoring",
    "quality",
    "checkpoints",
    "processes",
    "peers",
    "gpu",
)
"""The modules beside this one; each has `measure`, which gives a line of a table at a time."""


def main() -> None:
    """Measure the parts named, or all."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("parts", nargs="*", metavar="PART", help=", ".join(PARTS))
    parser.add_argument("--scale", type=float, default=1.0, help="of the sizes (%(default)s)")
    parser.add_argument("--out", type=Path, default=FIGURES, help="folder to write to")
    args = parser.parse_args()
    if unknown := set(args.parts) - set(PARTS):
        parser.error(f"no such part: {', '.join(unknown)}; there are {', '.join(PARTS)}")
    for part in args.parts or PARTS:
        run(part, args.scale, args.out / f"{part}.json")


def run(part: str, scale: float, figures: Path) -> None:
    """Measure a part; write its figures, and print each line as soon as it is known."""
    print(f"\n{part}, scale {scale:g}, on {machine()}", flush=True)
    lines = []
    for line in import_module(f"benchmarks.speed.engine.{part}").measure(scale):
        lines.append(line)
        print("  ".join(f"{name}: {value}" for name, value in line.items()), flush=True)
    figures.parent.mkdir(parents=True, exist_ok=True)
    found = {"machine": machine(), "scale": scale, "lines": lines}
    figures.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    print(pd.DataFrame(lines).to_string(index=False, na_rep=""))


def machine() -> str:
    """What there is to run on."""
    known: dict[str, Any] = getattr(torch.cpu, "get_capabilities", dict)()
    wanted = ("avx2", "avx512_f", "avx512_bf16", "amx_bf16")
    instructions = " ".join(name for name in wanted if known.get(name))
    kind = known.get("cpu_name", platform.machine())
    return f"{torch.get_num_threads()} threads, {kind}, {instructions}, torch {torch.__version__}"


if __name__ == "__main__":
    main()
