"""What updates are worth: each slice of time is ranked by the model of the last, then learnt.

    RECVAE_DATA=... python -m benchmarks.quality.prequential                        # all of it
    RECVAE_DATA=... python -m benchmarks.quality.prequential ease elsa --data ml-100k
    RECVAE_DATA=... python -m benchmarks.quality.prequential --times                # of ML-1M

The first half of the likes is fitted; the rest comes in ten slices, in the order of its times. One
model is updated by each slice, another of the same options is fitted anew to all that came before.
Both rank what the known users like in the next slice, and for newcomers, whom neither has learnt,
one half of what they like by the other. Options are the defaults. Times are of the processor, so
that a busy machine does not count. What is fitted anew is kept under build/prequential/: remove it
when a fit has changed, not when an update has.
"""

import json
import warnings
from argparse import ArgumentParser
from datetime import date
from pathlib import Path
from time import process_time
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

import recvae as rv
from benchmarks.common import FIGURES, IMAGES, machine, one_of, options, save_picture, write_json
from recvae.data.growth import grown
from recvae.display.themes import MARKERS
from recvae.models import Recommender

DATA = ("ml-100k", "ml-latest-small", "movietweetings-100k")
MODELS = (
    *("ensemble", "residual-vae", "rec-vae", "vamp-vae", "mult-vae", "mult-dae", "elsa"),
    *("edlae", "ease", "als", "graph-ae", "item-knn"),
)
CLOSED, NEW_USERS = ("ease", "edlae"), (1, 10, 100)
DRAWN = ("mult-dae", "elsa", "als", "ease")
KNOWN, SLICES = 0.5, 10
METRIC, NEW = "ndcg@100", "new_"
KEPT, VALUES = Path("build/prequential"), "values.npz"
OUT, TIMES = FIGURES / "prequential.json", FIGURES / "update_times.json"


def main() -> None:
    """Measure the models named on the data named; keep what was measured of others; draw."""
    args = parser().parse_args()
    warnings.simplefilter("ignore")
    if args.times:
        write_json(TIMES, [times(name, n) for name in CLOSED for n in NEW_USERS])
        return
    found = json.loads(OUT.read_text(encoding="utf-8")) if OUT.exists() else {}
    for data in [] if args.draw else args.data:
        for model in args.models:
            found.setdefault(data, {})[model] = measured = measure(data, model, args.slices)
            print(f"{data:20} {model:13} {summary(measured)}", flush=True)
            write_json(OUT, found)
    save_picture(IMAGES / "updates.svg", draw, found)


def parser() -> ArgumentParser:
    """The command's options."""
    known = options(__doc__)
    known.add_argument("models", nargs="*", type=one_of(MODELS), default=MODELS, metavar="MODEL")
    known.add_argument("--data", nargs="*", type=one_of(DATA), default=DATA, help=", ".join(DATA))
    known.add_argument(
        "--times", action="store_true", help="only: how fast closed forms take a few users of ML-1M"
    )
    known.add_argument(
        "--slices", type=int, default=SLICES, metavar="N", help="only the first N of the ten"
    )
    known.add_argument("--draw", action="store_true", help="draw what was measured before")
    return known


def measure(data: str, name: str, n_slices: int) -> dict[str, Any]:
    """Mean NDCG of the users of each slice, by the updated and by the refitted model, and times."""
    folder = KEPT / f"{data}-{n_slices}" / name
    known, *slices = sliced(data)[: n_slices + 1]
    if not (folder / VALUES).exists():
        refit(name, folder, known, slices)
    kept = np.load(folder / VALUES)
    updated = rv.load_model(folder)
    lines: list[dict[str, Any]] = []
    for number, part in enumerate(slices):
        lines.append({"until": str(last_day(part))})
        for of, ours in judge(updated, known, part).items():
            lines[-1] |= compared(of, ours, kept[f"{of}{number}"])
        if number + 1 < len(slices):
            seconds, _ = timed(lambda: updated.update(part))  # noqa: B023
            known = grown(known, part)
            lines[-1] |= {"update_seconds": seconds, "fit_seconds": kept["seconds"][number]}
    return {"machine": machine(), "slices": lines}


def refit(name: str, folder: Path, known: rv.Interactions, slices: list[rv.Interactions]) -> None:
    """Save the first model; keep how those rank each slice that are fitted to all before it."""
    model = rv.build_model(name).fit(known, keep_data=True)
    model.save(folder)
    kept: dict[str, Any] = {
        f"{of}0": values for of, values in judge(model, known, slices[0]).items()
    }
    seconds = []
    for number in range(1, len(slices)):
        known = grown(known, slices[number - 1])
        spent, model = timed(lambda: rv.build_model(name).fit(known))  # noqa: B023
        found = judge(model, known, slices[number])
        kept |= {f"{of}{number}": values for of, values in found.items()}
        seconds.append(spent)
    np.savez(folder / VALUES, seconds=np.array(seconds), **kept)


def times(name: str, n_users: int) -> dict[str, Any]:
    """Seconds in which all other users of ML-1M are fitted, and these are learnt, then removed."""
    data = rv.load_dataset("ml-1m", min_rating=4, min_user_items=5)
    rows = np.arange(data.shape[0])
    new = data.select_users(rows[-n_users:])
    fit_seconds, model = timed(
        lambda: rv.build_model(name).fit(data.select_users(rows[:-n_users]), keep_data=True)
    )
    update_seconds, _ = timed(lambda: model.update(new))
    remove_seconds, _ = timed(lambda: model.update(remove_users=new.user_ids))
    return {
        "model": name,
        "new_users": n_users,
        "fit_seconds": fit_seconds,
        "update_seconds": update_seconds,
        "remove_seconds": remove_seconds,
    }


def sliced(name: str) -> list[rv.Interactions]:
    """The first half, and ten slices of the other, of as many likes each."""
    data = rv.load_dataset(name, min_rating=4, min_user_items=5, min_item_users=3)
    assert data.timestamps is not None
    order = np.argsort(data.timestamps, kind="stable")
    bounds = np.linspace(KNOWN, 1, SLICES + 1) * len(order)
    places = np.empty(len(order), np.int64)
    places[order] = np.arange(len(order))
    of_entry = np.searchsorted(bounds, places, side="right")
    return [own(data, of_entry == number) for number in range(SLICES + 1)]


def own(data: rv.Interactions, entries: np.ndarray) -> rv.Interactions:
    """Some entries, with their users and items alone."""
    kept = data.keep(entries)
    kept = kept.select_items(kept.item_counts > 0)
    return kept.select_users(np.diff(kept.matrix.indptr) > 0)


def next_of(known: rv.Interactions, part: rv.Interactions) -> rv.Holdout:
    """What known users like in a slice, of the known items."""
    n_users, n_items = known.shape
    held_out = (grown(known, part).matrix[:n_users, :n_items] > 0) - (known.matrix > 0)
    rows = np.flatnonzero(held_out.getnnz(axis=1))
    return rv.Holdout(known.matrix[rows], held_out[rows], rows=rows)


def newcomers_of(known: rv.Interactions, part: rv.Interactions) -> rv.Holdout:
    """A half of what each new user of a slice likes, of the known items, and the other half."""
    n_users, n_items = known.shape
    likes = grown(known, part).matrix[n_users:, :n_items]
    shown = rv.latent.drop(likes, 0.5)
    rest = (likes - shown).tocsr()
    both = (shown.getnnz(axis=1) > 0) & (rest.getnnz(axis=1) > 0)
    return rv.Holdout(shown[both], rest[both])


def last_day(part: rv.Interactions) -> date:
    """The day of a slice's last like."""
    assert part.timestamps is not None
    return pd.Timestamp(part.timestamps.max(), unit="s").date()


def judge(
    model: Recommender, known: rv.Interactions, part: rv.Interactions
) -> dict[str, np.ndarray]:
    """NDCG@100 of each known user, and of each newcomer of a slice."""
    holdouts = {"": next_of(known, part), NEW: newcomers_of(known, part)}
    reports = {of: rv.evaluate(model, holdout, (METRIC,)) for of, holdout in holdouts.items()}
    return {of: report.per_user[METRIC].to_numpy() for of, report in reports.items()}


def compared(of: str, ours: np.ndarray, anew: np.ndarray) -> dict[str, Any]:
    """The means of both, and the standard error of their difference."""
    error = (ours - anew).std() / len(ours) ** 0.5
    found = {"users": len(ours), "updated": ours.mean(), "refitted": anew.mean()}
    return {f"{of}{name}": value for name, value in (found | {"difference_error": error}).items()}


def timed(call: Any) -> tuple[float, Any]:
    """Seconds of the processor, and what came."""
    begun = process_time()
    result = call()
    return process_time() - begun, result


def summary(measured: dict[str, Any]) -> str:
    """NDCG of both, its ratio and the ratio of the times, over all slices after the first."""
    lines = pd.DataFrame(measured["slices"])
    times = lines[:-1][["update_seconds", "fit_seconds"]].sum()
    share, fits = times["update_seconds"] / times["fit_seconds"], times["fit_seconds"]
    parts = [f"{of}{METRIC} {kept_of(lines[1:], of)}" for of in ("", NEW) if f"{of}users" in lines]
    return f"{', '.join(parts)} in {share:.0%} of {fits:.1f} s"


def kept_of(lines: pd.DataFrame, of: str) -> str:
    """What updates keep of the NDCG, over the users of some slices."""
    users, errors = lines[f"{of}users"], lines[f"{of}difference_error"]
    updated, refitted = (
        (lines[f"{of}{kind}"] * users).sum() / users.sum() for kind in ("updated", "refitted")
    )
    error = np.sqrt((errors**2 * users**2).sum()) / users.sum()
    return f"{updated:.4f} of {refitted:.4f} (± {error:.4f}): {updated / refitted:.1%}"


def draw(found: dict[str, Any]) -> Figure:
    """NDCG by slice: a line for each model that is refitted, points where it is updated."""
    figure, axes = plt.subplots(1, len(found), figsize=(11, 3.4), layout="constrained")
    for axis, (data, models) in zip(np.atleast_1d(axes), found.items(), strict=True):
        for number, name in enumerate(DRAWN):
            if name not in models:
                continue
            lines = pd.DataFrame(models[name]["slices"])[1:]
            style = {"color": f"C{number}", "label": name}
            axis.plot(lines["until"], lines["refitted"], linewidth=1, color=f"C{number}")
            axis.plot(lines["until"], lines["updated"], MARKERS[number], **style)
        axis.set_title(data)
        axis.tick_params("x", rotation=90)
    first = figure.axes[0]
    first.set_ylabel("NDCG@100 of the next slice")
    first.legend(title="points: updated, lines: refitted")
    return figure


if __name__ == "__main__":
    main()
