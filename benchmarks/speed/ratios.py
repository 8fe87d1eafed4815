"""The ratios that must not fall: how many times as fast the engine is as the plain way, and others.

    python -m benchmarks.speed.ratios            # fails if one fell by more than 15%
    python -m benchmarks.speed.ratios --keep     # the ones to compare with from now on

Two ways take turns, small, each in a process of its own, so that both have what else goes on. A
ratio says much of one kind of processor, and less of another: they are kept for each.
"""

import json
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TypeAlias

import numpy as np

from benchmarks.common import FIGURES, machine, options, write_json
from benchmarks.speed import crowded
from benchmarks.speed.clock import alone, spread
from benchmarks.speed.engine import scoring, training
from recvae.engine.machine import cores

Way: TypeAlias = Callable[[], list[float]]
Ratios: TypeAlias = dict[str, dict[str, float]]

SCALE, TURNS, EPOCHS = 0.2, 5, 4
LEAST = 0.85
"""The part of a kept ratio that must be left."""
KEPT = FIGURES / "ratios.json"


def step(way: str) -> list[float]:
    """Seconds of training steps."""
    return training.steps(way, SCALE)


def lists(way: str) -> list[float]:
    """Seconds a user, from a history to a list."""
    return [1 / rate for rate in (scoring.als if "ALS" in way else scoring.vae)(way, SCALE)]


def fit(n_loops: int) -> list[float]:
    """Seconds of a fit beside busy loops."""
    with crowded.busy(n_loops):
        return [crowded.measure(EPOCHS, considerate=True)[0]]


PAIRS: dict[str, tuple[Way, Way]] = {
    "float32 steps, to plain ones": (
        partial(step, "recvae, float32"),
        partial(step, "plain, float32"),
    ),
    "bfloat16 steps, to plain ones of autocast": (
        partial(step, "recvae, bfloat16"),
        partial(step, "plain, bfloat16 autocast, fused Adam"),
    ),
    "lists, to ALS's of users computed anew": (
        partial(lists, "Mult-VAE"),
        partial(lists, "ALS, users computed anew"),
    ),
    "a fit beside busy loops on half the cores, to a quiet one": (
        partial(fit, max(1, int(cores()) // 2)),
        partial(fit, 0),
    ),
}
"""What is ours, and what it is compared with."""


def main() -> None:
    """Measure all; keep them, or compare them with those that were kept."""
    parser = options(__doc__)
    parser.add_argument("--keep", action="store_true", help=f"write them to {KEPT}")
    parser.add_argument("--out", type=Path, default=Path("build/ratios.json"))
    args = parser.parse_args()
    kept = json.loads(KEPT.read_text(encoding="utf-8")) if KEPT.exists() else {}
    found = {}
    for name, pair in PAIRS.items():
        found[name] = measure(*pair)
        print(name, found[name], flush=True)
    write_json(KEPT if args.keep else args.out, kept | {kind(): found})
    if not args.keep:
        sys.exit(verdict(found, kept.get(kind(), {})))


def kind() -> str:
    """The machine, but for the version of torch, which must not slow us down."""
    return machine().rpartition(", ")[0]


def measure(ours: Way, other: Way) -> dict[str, float]:
    """How many times as fast ours is: the median turn, the least and the most."""
    turns = [(alone(ours)[0], alone(other)[0]) for _ in range(TURNS)]
    return spread([float(np.median(slow) / np.median(fast)) for fast, slow in turns])


def verdict(found: Ratios, kept: Ratios) -> str | None:
    """What to say of the ratios that fell, or of those that nothing is known of; None if all hold.

    Args:
        found: the spread of each ratio, as `measure` gives it.
        kept: the same of before.
    """
    wrong = [
        f"{name}: {ratio['median']:g}, was {kept[name]['median']:g}"
        if name in kept
        else f"{name}: nothing to compare with on {kind()}; keep the written figures"
        for name, ratio in found.items()
        if name not in kept or ratio["median"] < LEAST * kept[name]["median"]
    ]
    return "\n".join(wrong) or None


if __name__ == "__main__":
    main()
