"""Draw what docs/performance.md shows, from the figures in benchmarks/figures/engine.

python -m benchmarks.speed.engine.plots
"""

import json
from collections.abc import Callable
from pathlib import Path

import matplotlib as mpl
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from benchmarks.speed.engine.quality import HELD_OUT
from recvae.display.themes import LIGHT, MARKERS, STYLE

FIGURES, IMAGES = Path("benchmarks/figures/engine"), Path("docs/images")
SOFTMAX = {"plain": "plain, dense", "all": "softmax over all", "sampled": "over a sample"}


def main() -> None:
    """Write the pictures."""
    with mpl.rc_context(STYLE | LIGHT):
        write("catalogue", growth)
        write("quality", time_to_quality)


def write(part: str, draw: Callable[[Axes, pd.DataFrame], object]) -> None:
    """Draw the lines of a part."""
    found = json.loads((FIGURES / f"{part}.json").read_text(encoding="utf-8"))
    figure = Figure(figsize=(6.4, 3.2), layout="constrained")
    axes = figure.subplots()
    axes.set(xscale="log")
    draw(axes, pd.DataFrame(found["lines"]))
    axes.minorticks_off()
    figure.legend(loc="outside lower center", ncols=3)
    figure.savefig(IMAGES / f"engine-{part}.svg", metadata={"Date": None})


def growth(axes: Axes, lines: pd.DataFrame) -> None:
    """Seconds of a step by the number of items: medians, and from least to most."""
    for marker, (way, label) in zip(MARKERS, SOFTMAX.items(), strict=False):
        steps = lines[lines["softmax"] == way]
        axes.fill_between(steps["items"], steps["least"], steps["most"], alpha=0.2)
        axes.plot(steps["items"], steps["median"], marker=marker, label=label)
    axes.set(yscale="log", title="seconds of a training step", xlabel="items")
    axes.set_xticks(sizes := lines["items"].unique(), [f"{size:,}" for size in sizes])
    axes.set_yticks(ticks := [0.1, 0.3, 1, 3], ticks)


def time_to_quality(axes: Axes, lines: pd.DataFrame) -> None:
    """Seconds to the goal, seed by seed, on the data that are no generated ones."""
    lines = lines[lines["data"].isin(list(HELD_OUT))]
    for number, (marker, way) in enumerate(zip(MARKERS, lines["way"].unique(), strict=False)):
        runs = lines[lines["way"] == way]
        places = runs["data"].map(list(HELD_OUT).index) + 0.2 * (number - 1)
        axes.plot(runs["seconds to 99%"], places, linestyle="", marker=marker, label=way)
    axes.set(title="seconds to 99% of the best NDCG@100", ylim=(len(HELD_OUT) - 0.5, -0.5))
    axes.set_yticks(range(len(HELD_OUT)), HELD_OUT)
    axes.set_xticks(ticks := [2, 5, 10, 20, 40], ticks)


if __name__ == "__main__":
    main()
