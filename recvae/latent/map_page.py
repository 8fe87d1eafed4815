"""The picture and the page of a map of items."""

from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from recvae.disk import atomic
from recvae.display.templates import render
from recvae.display.themes import DARK, LIGHT

GROUPS = 6
"""How many genres have a colour of their own; all others are grey."""
REST = "other"
SIDE = 1000
"""Width and height of the page's SVG picture, in its own coordinates."""


def write_map(items: pd.DataFrame, users: pd.DataFrame | None, folder: Path) -> Path:
    """Write `map.png` and `map.html`: see `TasteMap.write`."""
    groups = main_genres(items)
    page = folder / "map.html"
    with atomic.writing_to(folder):
        folder.mkdir(parents=True, exist_ok=True)
        with mpl.rc_context(LIGHT):
            draw_map(items, groups, users).savefig(folder / "map.png")
        page.write_text(_html(items, groups, users), encoding="utf-8")
    return page


def main_genres(items: pd.DataFrame) -> pd.Series:
    """The first genre of each item; genres that are not among the most frequent become one."""
    if "genres" not in items:
        return pd.Series("items", items.index)
    first = items["genres"].fillna("").str.partition("|")[0].replace("", REST)
    frequent = first[first != REST].value_counts().index[:GROUPS]
    return first.where(first.isin(frequent), REST)


def draw_map(items: pd.DataFrame, groups: pd.Series, users: pd.DataFrame | None) -> Figure:
    """Items as dots, coloured by group, and users as crosses with their standard deviations."""
    figure = Figure(figsize=(9, 7), layout="constrained")
    axes = figure.subplots()
    for group in _by_size(groups):
        members = items[groups == group]
        axes.plot(
            members["x"], members["y"], "o", markersize=3, label=group, zorder=2 + (group != REST)
        )
    if users is not None:
        style: Any = {"fmt": "x", "color": mpl.rcParams["text.color"], "label": "users"}
        axes.errorbar(users["x"], users["y"], users.get("y_std"), users.get("x_std"), **style)
    axes.set_aspect("equal", adjustable="datalim")
    axes.tick_params(labelbottom=False, labelleft=False)
    figure.legend(loc="outside lower center", ncols=5)
    return figure


def _by_size(groups: pd.Series) -> list[str]:
    """The names of the groups, the largest first, and the group of all other genres last."""
    names = list(groups.value_counts().index)
    return sorted(names, key=lambda name: name == REST)


def _html(items: pd.DataFrame, groups: pd.Series, users: pd.DataFrame | None) -> str:
    names, n_items = _by_size(groups), len(items)
    points = pd.concat([items, users])[["x", "y"]]
    low, high = points.min(), points.max()
    # One scale for both axes of the page; its y goes downwards.
    unit = 0.96 * SIDE / max((high - low).max(), np.finfo(np.float32).tiny)
    scaled = SIDE / 2 + (points - (low + high) / 2) * [unit, -unit]
    places = scaled.round(1).to_numpy().tolist()
    ids = items.index.to_series().astype(str)
    titles = items["title"].fillna(ids) if "title" in items else ids
    spots = zip(places[:n_items], titles, groups.map(names.index), strict=True)
    return render(
        "recvae.latent",
        "map.html",
        groups=names,
        spots=list(spots),
        users=places[n_items:],
        side=SIDE,
        light=LIGHT["axes.prop_cycle"].by_key()["color"],
        dark=DARK["axes.prop_cycle"].by_key()["color"],
    )
