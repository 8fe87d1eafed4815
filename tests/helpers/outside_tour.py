"""A model of another package, taken to all that models go through; a test where it is installed."""

import asyncio
from pathlib import Path

import numpy as np
import pytest
from serving_client import client_of

import recvae as rv
from recvae.errors import OptionError
from recvae.models import MODELS

SMALL = {"latent": 8, "batch_size": 50, "epochs": 2, "device": "cpu"}


def test_it_goes_wherever_models_go(tmp_path: Path) -> None:
    data = rv.load_dataset("sample", min_rating=4, min_user_items=5)
    split = rv.split_users(data, n_validation=200, n_test=200)

    LinearDAE = MODELS["linear-dae"]  # noqa: N806
    model = rv.build_model("linear-dae", SMALL)
    compared = rv.compare({"mine": model, "popularity": rv.Popularity()}, split)
    assert set(compared.runs) == {"mine", "popularity"}

    tuned = rv.tune(LinearDAE(**SMALL), split.train, split.validation, trials=2)
    assert len(tuned.trials) == 2
    assert set(tuned.chosen) == {"latent", "dropout", "learning_rate"}

    model.save(tmp_path / "saved")
    loaded = rv.load_model(tmp_path / "saved")
    histories = split.test.fold_in
    for one, other in zip(model.recommend(histories), loaded.recommend(histories), strict=True):
        np.testing.assert_array_equal(one, other)

    reasons = rv.latent.explain(model, histories[0], k=3)
    assert set(reasons["because"]) <= set(model.item_ids_[histories[0].indices])
    drawn = rv.latent.generate(model, histories, 20)
    assert drawn.shape == (20, data.shape[1])
    pooled = rv.Ensemble(members=[LinearDAE(**SMALL), rv.EASE()]).fit(split.train)
    assert pooled.recommend(histories, 5)[0].shape == (200, 5)

    asked = {"items": model.item_ids_[histories[0].indices].tolist(), "k": 4}
    answer = asyncio.run(served(tmp_path / "saved", asked))
    expected = model.item_ids_[model.recommend(histories[0], 4)[0][0]].tolist()
    assert [item["id"] for item in answer["items"]] == expected

    with pytest.raises(OptionError, match="the codes of LinearDAE are points"):
        rv.latent.entropy(model, histories)
    counts = LinearDAE(**SMALL, input="counts").fit(split.train)
    with pytest.raises(OptionError, match="linear-dae was trained on weights"):
        rv.export_onnx(counts, tmp_path / "model.onnx")
    with pytest.raises(OptionError, match="LinearDAE can't take latent=0"):
        rv.build_model("linear-dae", {"latent": 0})
    with pytest.raises(OptionError, match="did you mean 'linear-dae'"):
        rv.build_model("linear-dea")


async def served(folder: Path, asked: dict) -> dict:
    async with client_of(folder) as client:
        return (await client.post("/recommend", json=asked)).raise_for_status().json()
