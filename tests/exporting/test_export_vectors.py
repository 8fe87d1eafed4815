"""Exported vectors: their inner products are the model's scores."""

import re
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet
import pytest
import scipy.sparse as sp
from typer.testing import CliRunner

import recvae as rv
from recvae.cli import app
from recvae.errors import FoldInError, NotFittedError, OptionError, WriteError
from recvae.models import MODELS as REGISTERED
from recvae.models.contract.abilities import Ability

SMALL = {"latent": 8, "batch_size": 20, "epochs": 2, "device": "cpu"}
MODELS = {
    "mult-vae": rv.MultVAE(hidden=(12,), **SMALL),
    "with a temperature": rv.MultDAE(hidden=(), temperature=0.1, **SMALL),
    "rec-vae": rv.RecVAE(width=12, **SMALL),
    "vamp-vae": rv.VampVAE(hidden=(12,), n_components=5, **SMALL),
    "elsa": rv.ELSA(**SMALL),
    "als": rv.ImplicitALS(factors=8),
    "bpr": rv.ImplicitBPR(factors=8, iterations=5),
    "lmf": rv.ImplicitLMF(factors=8, iterations=5),
}


@pytest.fixture(scope="module")
def data():
    rng = np.random.default_rng(0)
    return rv.Interactions.from_matrix(sp.csr_matrix(rng.random((100, 40)) < 0.2, dtype=np.float32))


@pytest.fixture(scope="module")
def vae(data):
    return MODELS["mult-vae"].fit(data)


def read(path):
    table = pa.parquet.read_table(path)
    return table["item"].to_pylist(), np.stack(table.to_pandas()["vector"])


@pytest.mark.parametrize("name", MODELS)
def test_lists_by_numpy_are_the_models(name, data, tmp_path):
    model, rows = MODELS[name].fit(data), np.arange(100)
    rv.export_vectors(model, tmp_path / "items.parquet")
    items, vectors = read(tmp_path / "items.parquet")
    assert items == data.item_ids.tolist()
    queries = rv.query_vectors(model, data.matrix, rows)
    assert queries.dtype == vectors.dtype == np.float32
    scores = np.where(data.matrix.toarray() > 0, -np.inf, queries @ vectors.T)
    ids, best = model.recommend(data.matrix, 10, rows=rows)
    expected = -np.sort(-scores, axis=1)[:, :10]
    np.testing.assert_allclose(best, expected, rtol=1e-4, atol=1e-5)
    own = np.take_along_axis(scores, ids, axis=1)
    np.testing.assert_allclose(own, expected, rtol=1e-4, atol=1e-5)


def test_the_width_is_a_part_of_the_type(vae, tmp_path):
    rv.export_vectors(vae, tmp_path / "items.parquet")
    schema = pa.parquet.read_schema(tmp_path / "items.parquet")
    assert schema.field("vector").type == pa.list_(pa.float32(), 13)


def test_the_page_names_the_models_that_can():
    page = (Path(__file__).parents[2] / "docs" / "export.md").read_text(encoding="utf-8")
    said = page.partition("These models can:")[2].partition(", unless")[0]
    able = {name for name, model in REGISTERED.items() if Ability.VECTORS in model.abilities}
    assert set(re.findall(r"`([a-z-]+)`", said)) == able


def test_what_has_none_is_refused(data, vae, tmp_path):
    path = tmp_path / "items.parquet"
    for call in (
        lambda model: rv.export_vectors(model, path),
        lambda m: rv.query_vectors(m, data.matrix),
    ):
        with pytest.raises(NotFittedError):
            call(rv.MultVAE())
        with pytest.raises(OptionError, match="EASE's scores are no inner products"):
            call(rv.EASE().fit(data))
    with pytest.raises(OptionError, match=r"must end in \.parquet"):
        rv.export_vectors(vae, tmp_path / "items.csv")
    with pytest.raises(WriteError, match="there is no folder"):
        rv.export_vectors(vae, tmp_path / "no" / "items.parquet")
    with pytest.raises(FoldInError, match="rows"):
        rv.query_vectors(MODELS["bpr"].fit(data), data.matrix)
    assert not list(tmp_path.iterdir())


def test_the_command(vae, tmp_path):
    vae.save(tmp_path / "vae")
    path = tmp_path / "items.parquet"
    result = CliRunner().invoke(
        app, ["export", str(tmp_path / "vae"), "--out", str(path), "--vectors"]
    )
    assert (result.exit_code, result.stdout) == (0, "")
    assert len(read(path)[0]) == 40
