"""Draw what the functions of recvae.data.splits do to a few generated users.

python docs/images/protocols.py
"""

from pathlib import Path

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch, Rectangle

import recvae as rv
from recvae.display.themes import LIGHT, STYLE

FOLDER = Path(__file__).parent
COLOURS = {"trained on": "#0072b2", "shown": "#9fd3f5", "to be ranked": "#d55e00"}
USERS, ITEMS, HAD, TIMES = 6, 8, 6, 14

Cells = dict[tuple[int, int], str]
"""What becomes of each (user, item)."""


def main() -> None:
    """Write a picture of each protocol."""
    data = generate()
    users = rv.split_users(data, n_validation=1, n_test=2)
    time = rv.split_time(data, validation_from=7, test_from=10)
    write("users", data, parts(users))
    write("folds", data, {f"fold {n}": fold for n, fold in enumerate(folds(data), start=1)})
    write("interactions", data, parts(rv.split_interactions(data, validation=0.2, test=0.3)))
    write("last", data, parts(rv.split_last(data)), over_time=True)
    write("time", data, parts(time), over_time=True)


def generate() -> rv.Interactions:
    """Six users, each with six of eight items, one at a time."""
    rng = np.random.default_rng(4)
    users, items = np.nonzero(shuffled(rng, ITEMS) < HAD)
    times = shuffled(rng, TIMES)[:, :HAD].ravel()
    return rv.read_interactions({"user": users, "item": items, "time": times}, timestamp="time")


def shuffled(rng: np.random.Generator, n: int) -> np.ndarray:
    """The numbers below n, in an order of its own for each user."""
    return rng.random((USERS, n)).argsort(axis=1)


def parts(split: rv.Split) -> dict[str, Cells]:
    """What is trained on, what validates and what tests."""
    train = dict.fromkeys(pairs(split.train.matrix, split.train.user_ids, split), "trained on")
    held_out = {"validation": split.validation, "test": split.test}
    return {"training": train} | {name: judged(one, split) for name, one in held_out.items()}


def folds(data: rv.Interactions) -> list[Cells]:
    """What is trained on and what tests, in each of three folds."""
    splits = rv.split_folds(data, n_folds=3, n_validation=1)
    return [parts(split)["training"] | parts(split)["test"] for split in splits]


def judged(part: rv.Holdout, split: rv.Split) -> Cells:
    """What is shown of the users of a part, and what of them is to be ranked."""
    shown = dict.fromkeys(pairs(part.fold_in, part.user_ids, split), "shown")
    return shown | dict.fromkeys(pairs(part.held_out, part.user_ids, split), "to be ranked")


def pairs(matrix, user_ids, split: rv.Split) -> list[tuple[int, int]]:
    """The raw ids of a matrix's entries."""
    rows, columns = matrix.nonzero()
    items = split.train.item_ids[columns]
    return [(int(user), int(item)) for user, item in zip(user_ids[rows], items, strict=True)]


def write(name: str, data: rv.Interactions, panels: dict[str, Cells], *, over_time=False) -> None:
    """Draw panels side by side, users down, items or times across."""
    with mpl.rc_context(STYLE | LIGHT | {"axes.grid": False}):
        figure = Figure(figsize=(7.2, 2.5), layout="constrained")
        for axes, (title, cells) in zip(
            figure.subplots(1, len(panels)), panels.items(), strict=True
        ):
            draw(axes, data, cells, over_time)
            axes.set_title(title)
        patches = [Patch(color=colour, label=label) for label, colour in COLOURS.items()]
        figure.legend(handles=patches, loc="outside lower center", ncols=3)
        figure.savefig(FOLDER / f"protocol-{name}.svg", metadata={"Date": None})


def draw(axes: Axes, data: rv.Interactions, cells: Cells, over_time: bool) -> None:
    """Draw a square for each interaction, grey if it has no part in it."""
    across = data.timestamps if over_time else data.matrix.indices
    for row, column, x in zip(data.rows, data.matrix.indices, across, strict=True):
        cell = cells.get((data.user_ids[row], data.item_ids[column]))
        axes.add_patch(Rectangle((x, row), 0.86, 0.86, color=COLOURS.get(cell, "#e6e8ec")))
    axes.set(xlim=(0, TIMES if over_time else ITEMS), ylim=(USERS, 0), xticks=[], yticks=[])
    axes.set_xlabel("time →" if over_time else "items")
    axes.set_ylabel("users")


if __name__ == "__main__":
    main()
