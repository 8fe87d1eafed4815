"""Tricks: what a folder may hold in the place of a file."""

import os
import shutil
from pathlib import Path

import numpy as np


def play(folder: Path, aside: Path, rng: np.random.Generator) -> None:
    """Put something else in the place of one file of a folder, or of the folder.

    Args:
        folder: what will be loaded.
        aside: where what is linked to can be.
    """
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    path = paths[rng.integers(len(paths))]
    aside.mkdir()
    shutil.move(path, aside)
    match rng.integers(10):
        case 0:
            path.symlink_to(aside / path.name)
        case 1:
            path.symlink_to("/dev/zero")
        case 2:
            path.symlink_to(path)
        case 3:
            path.symlink_to("/nowhere")
        case 4:
            os.mkfifo(path)
        case 5:
            path.mkdir()
        case 6:
            path.touch()
        case 7:
            with path.open("wb") as file:
                file.truncate(2**42)
        case 8:
            shutil.move(aside / path.name, path)
            shutil.move(folder, aside)
            folder.symlink_to(aside / folder.name)
        case _:
            pass
