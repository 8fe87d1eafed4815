"""Write the golden folders of the format that this version of recvae saves.

    python tests/saved/golden/make.py

Do it once for each format, in the release that brings it, and never again: the folders are what
users of that release have on their disks.
"""

import json
from pathlib import Path

import numpy as np
import pandas as pd

import recvae as rv
from recvae.disk.store import LOCK
from recvae.models import Recommender

HERE = Path(__file__).parent
SMALL = {"latent": 4, "epochs": 3, "device": "cpu"}
MODELS = {
    "popularity": {},
    "item-knn": {"n_neighbors": 5},
    "ease": {},
    "als": {"factors": 4, "n_threads": 1},
    "bpr": {"factors": 4, "iterations": 5, "n_threads": 1},
    "mult-vae": SMALL | {"hidden": [6]},
    "ensemble": SMALL | {"width": 6, "rank": 4, "factors": 4},
}


def table() -> pd.DataFrame:
    """40 users and 12 items, some with accents."""
    rng = np.random.default_rng(0)
    users, items = np.nonzero(rng.random((40, 12)) < np.linspace(0.6, 0.2, 12))
    names = np.array([f"Fílm {n}" for n in range(12)])
    return pd.DataFrame({"user": users, "item": names[items]})


def main() -> None:
    """Train, save, and note the lists that were recommended."""
    plays = table()
    data = rv.read_interactions(plays)
    data = data.with_item_info(pd.DataFrame({"title": data.item_ids}, index=data.item_ids))
    histories = plays[plays["user"] < 8]
    for name, options in MODELS.items():
        model = rv.build_model(name, options).fit(data)
        format_ = _save(model, name)
        lists = model.recommend_table(histories, k=3)
        lists.to_csv(HERE / format_ / name / "expected.csv", index=False)
    histories.to_csv(HERE / "histories.csv", index=False)


def _save(model: Recommender, name: str) -> str:
    draft = HERE / name
    model.save(draft)
    format_ = f"format-{json.loads((draft / 'model.json').read_text())['format']}"
    (HERE / format_).mkdir(exist_ok=True)
    (draft / LOCK).unlink()
    draft.rename(HERE / format_ / name)
    return format_


if __name__ == "__main__":
    main()
