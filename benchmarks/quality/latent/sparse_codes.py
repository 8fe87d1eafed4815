"""Sparse codes: the NDCG they keep, what their features stand for, and what turning one up does."""

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

import recvae as rv
from benchmarks.quality.latent.lab import KEPT, fitted, kept, mean, points, quality, split
from recvae.latent import SparseCodes, name_features

BAR, AT = 0.97, 32
CURVE = (2, 4, 8, 16, AT, 64)
OTHERS = ("mult-vae-deep", "residual-vae")
LEVELS = (0.0, 1.0, 2.0, 4.0, 8.0)
N_USERS, K = 200, 20
SURE = 0.01
COMMON = 5
"""Items that a tag must have to count."""


def measure() -> dict[str, Any]:
    """The NDCG kept of all test users; names and turns of the features of Mult-VAE."""
    return {
        "users": split().test.fold_in.shape[0],
        "curve": {active: kept_by_codes("mult-vae", active=active) for active in CURVE},
        "other models": {name: kept_by_codes(name) for name in OTHERS},
        "trained for scores": kept_by_codes("mult-vae", goal="scores"),
        "names": names(),
        "steer": steer(),
    }


def sparse(model: str, **options: Any) -> SparseCodes:
    """Sparse codes, fitted at their first use and kept on the disk."""
    changed = {key: value for key, value in options.items() if value != getattr(SparseCodes, key)}
    name = "-".join(["sparse", *(f"{key}-{value}" for key, value in changed.items())])
    path = KEPT / "ml-1m" / f"{model}-{name}"
    if not path.is_dir():
        parts = split()
        codes = SparseCodes(**options).fit(fitted(model), parts.train.matrix, parts.validation)
        codes.save(path)
    return SparseCodes.load(path, fitted(model))


def kept_by_codes(model: str, **options: Any) -> dict[str, float]:
    """The NDCG@100 by sparse codes, as a share of the model's."""
    return kept(model, quality(sparse(model, **options)))


def genres() -> pd.DataFrame:
    """Which genres each item has."""
    return split().train.items["genres"].str.get_dummies()


def tags() -> pd.DataFrame:
    """Which tags of MovieLens latest-small each item has, of those with the same id and title."""
    items, tables = split().train.items, rv.load_tables("ml-latest-small")
    titles = pd.DataFrame(tables.items).set_index("item")["title"].reindex(items.index)
    known = items.index[titles == items["title"]]
    used = pd.DataFrame(tables.tags)
    counts = pd.crosstab(used["item"], used["tag"].str.lower())
    flags = counts.reindex(known).reindex(items.index).fillna(0) > 0
    return flags.loc[:, flags.sum() >= COMMON]


def names() -> dict[str, Any]:
    """How many features genres and tags name, and the surest feature of each of some labels."""
    codes, found = sparse("mult-vae"), {}
    users = np.bincount(codes.encode(split().train.matrix).indices, minlength=codes.features)
    for kind, labels, n in (("genres", genres(), 12), ("tags", tags(), 6)):
        table = name_features(codes, labels).assign(users=users)
        first = table.sort_values("p_value").drop_duplicates("label").head(n)
        lines = first.to_dict("records")
        found[kind] = {
            "labels": labels.shape[1],
            "items": int(labels.any(axis=1).sum()),
            "named": int((table["p_value"] < SURE).sum()),
            "surest": [
                {"feature": feature, **line, "items": best(codes, feature)}
                for feature, line in zip(first.index.tolist(), lines, strict=True)
            ],
        }
    return {"features": codes.features, "in use": int((users > 0).sum()), **found}


def best(codes: SparseCodes, feature: int, n: int = 3) -> list[str]:
    """The titles that a feature turns up most."""
    return codes.model_.items_["title"].iloc[np.argsort(-codes.effects()[feature])[:n]].tolist()


def steer() -> dict[str, Any]:
    """What steering a feature does to some users' lists, the mean over the features that a genre
    names."""
    codes, marks = sparse("mult-vae"), genres()
    table = name_features(codes, marks)
    named = table[table["p_value"] < SURE]
    histories = split().test.fold_in[:N_USERS]
    before, _ = codes.recommend(histories, K)
    lines = [
        turn(codes, histories, before, feature, marks[label].to_numpy())
        for feature, label in zip(named.index.tolist(), named["label"], strict=True)
    ]
    shares, overlaps = (np.array(part) for part in zip(*lines, strict=True))
    return {
        "features": len(lines),
        "levels": list(LEVELS),
        "share before": mean(shares[:, 0]),
        "share": [mean(column) for column in shares[:, 1:].T],
        "overlap": [mean(column) for column in overlaps.T],
    }


def turn(
    codes: SparseCodes, histories: Any, before: np.ndarray, feature: int, marks: np.ndarray
) -> tuple[list[float], list[float]]:
    """The share of marked items in the lists before and at each level; the overlap with before."""
    lists = [codes.recommend(histories, K, steer={feature: level})[0] for level in LEVELS]
    shares = [float(marks[ids].mean()) for ids in (before, *lists)]
    return shares, [overlap(before, ids) for ids in lists]


def overlap(one: np.ndarray, other: np.ndarray) -> float:
    """The share of items that two lists have in common, the mean over users."""
    both = np.sort(np.concatenate([one, other], axis=1), axis=1)
    return float((both[:, 1:] == both[:, :-1]).sum() / one.size)


def draw(found: dict[str, Any]) -> Figure:
    """NDCG kept by active features; share of a feature's genre by how far it is turned up."""
    figure = Figure(figsize=(8, 3.2), layout="constrained")
    left, right = figure.subplots(1, 2)
    left.errorbar(CURVE, *points(found["curve"].values()), fmt="o-")
    left.axhline(BAR, color="grey", linewidth=1)
    left.set_xscale("log", base=2)
    left.set_xticks(CURVE, [str(n) for n in CURVE])
    left.set_xlabel("active features")
    left.set_ylabel("NDCG@100 kept")
    moves = found["steer"]
    right.plot(LEVELS, points(moves["share"])[0], "o-", label="share of the feature's genre")
    right.plot(LEVELS, points(moves["overlap"])[0], "s-", label="overlap with the list")
    right.axhline(moves["share before"]["mean"], color="grey", linewidth=1)
    right.set_xlabel("feature steered to (1: as its users have it)")
    right.set_ylim(0, 1)
    right.legend()
    return figure
