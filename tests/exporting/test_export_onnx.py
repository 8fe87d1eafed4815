"""Exported graphs give the lists that the models give."""

import json
import re
import sys
from functools import cache
from pathlib import Path
from unittest.mock import Mock

import numpy as np
import pytest
import scipy.sparse as sp
import torch
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

import recvae as rv
from recvae.cli import app
from recvae.errors import MissingPackageError, NotFittedError, OptionError, WriteError
from recvae.exporting import onnx
from recvae.exporting.padded import Padded
from recvae.models import MODELS as REGISTERED
from recvae.models import Ability

ort = pytest.importorskip("onnxruntime", reason="needs onnxruntime")
pytest.importorskip("onnxscript", reason="needs the extra recvae[onnx]")

pytestmark = pytest.mark.slow

USERS, ITEMS = 80, 30
NET = {"epochs": 3, "batch_size": 20, "learning_rate": 0.01, "device": "cpu"}
MODELS = (
    rv.MultVAE(hidden=(8,), latent=4, **NET),
    rv.MultDAE(latent=4, temperature=0.2, **NET),
    rv.RecVAE(width=8, latent=4, **NET),
    rv.VampVAE(hidden=(8,), latent=4, n_components=5, **NET),
    rv.ELSA(latent=4, **NET),
    rv.ResidualVAE(width=8, latent=4, **NET),
    rv.EASE(regularization=5.0),
    rv.SparseEDLAE(regularization=5.0, n_neighbors=10),
    rv.ItemKNN(n_neighbors=10),
    rv.GraphAE(rank=3),
    rv.ImplicitALS(factors=3, regularization=1.0),
    rv.ResidualEnsemble(width=8, latent=4, rank=4, factors=3, epochs=2, device="cpu"),
)


@pytest.fixture(scope="module", autouse=True)
def operators_read_once():
    """PyTorch reads the sources of all of ONNX's operators for each export: a third of its time."""
    from torch.onnx._internal.exporter._registration import ONNXRegistry

    read = staticmethod(cache(ONNXRegistry.from_torchlib))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ONNXRegistry, "from_torchlib", read)
        yield


@pytest.fixture(scope="module")
def train() -> sp.csr_matrix:
    rng = np.random.default_rng(0)
    tastes = np.arange(ITEMS) % 3 == rng.integers(0, 3, USERS)[:, None]
    return sp.csr_matrix(rng.random((USERS, ITEMS)) < np.where(tastes, 0.7, 0.1), dtype="f4")


@pytest.fixture(scope="module")
def ease(train) -> rv.EASE:
    users, items = train.nonzero()
    names = np.array([f"item {n}" for n in range(ITEMS)])
    data = rv.read_interactions({"user": users, "item": names[items]})
    return rv.EASE(regularization=5.0).fit(data)


@pytest.fixture(scope="module")
def graph(ease, tmp_path_factory) -> Path:
    """What the command makes of a saved model."""
    folder = tmp_path_factory.mktemp("exported")
    ease.save(folder / "ease")
    path = folder / "model.onnx"
    result = CliRunner().invoke(
        app, ["export", str(folder / "ease"), "--out", str(path), "-k", "5"]
    )
    assert (result.exit_code, result.stdout) == (0, "")
    return path


def padded(histories: sp.csr_matrix) -> np.ndarray:
    rows = np.split(histories.indices, histories.indptr[1:-1])
    length = max(map(len, rows))
    filled = [np.pad(row, (0, length - len(row)), constant_values=-1) for row in rows]
    return np.array(filled, dtype=np.int64)


def run(path, items) -> list[np.ndarray]:
    return ort.InferenceSession(path).run(["ids", "scores"], {"items": items})


def check(path, model, histories, k) -> None:
    """Lists equal, scores within 1e-4, in batches and in any order of the items."""
    expected_ids, expected = model.recommend(histories, k)
    for items in (padded(histories), padded(histories)[:, ::-1]):
        ids, scores = run(path, items)
        np.testing.assert_array_equal(ids, expected_ids)
        np.testing.assert_allclose(scores, expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.name)
@pytest.mark.filterwarnings("ignore::recvae.models.EmptyHistoryWarning")
def test_a_graph_is_its_model(model, train, tmp_path):
    path = tmp_path / "model.onnx"
    rv.export_onnx(model.fit(train), path, k=ITEMS)
    histories = sp.vstack([train[:20], sp.csr_matrix((1, ITEMS)), train[20:21]], format="csr")
    check(path, model, histories, k=ITEMS)


def test_what_is_no_item_is_skipped_and_a_repeated_one_counts_once(graph):
    plain = run(graph, [[4, 9]])
    for lists, one in zip(run(graph, [[4, 9, -1, -1], [9, -7, 4, 9]]), plain, strict=True):
        np.testing.assert_array_equal(lists, np.repeat(one, 2, axis=0))


def test_no_users_and_no_items(graph, ease):
    assert run(graph, np.zeros((0, 3), np.int64))[0].shape == (0, 5)
    popular = np.argsort(-ease.item_counts_, kind="stable")[:5]
    np.testing.assert_array_equal(run(graph, np.zeros((1, 0), np.int64))[0], [popular])


def test_the_metadata_have_the_raw_ids(graph, ease):
    said = ort.InferenceSession(graph).get_modelmeta().custom_metadata_map
    assert json.loads(said["items"]) == list(ease.item_ids_)
    assert (said["model"], said["fingerprint"]) == ("ease", ease.fingerprint_)


def test_ties_rank_by_ascending_column_and_weights_may_have_their_own_file(
    train, tmp_path, monkeypatch
):
    monkeypatch.setattr(onnx, "LARGE", 0)
    model = rv.EASE().fit(train)
    model.weights_ = torch.zeros(ITEMS, ITEMS)
    rv.export_onnx(model, tmp_path / "model.onnx", k=4)
    assert len(list(tmp_path.glob("model-*.data"))) == 1
    np.testing.assert_array_equal(run(tmp_path / "model.onnx", [[1, 2]])[0], [[0, 3, 4, 5]])


def test_weights_of_earlier_and_of_failed_exports_go(ease, tmp_path, monkeypatch):
    path, of_another = tmp_path / "model.onnx", tmp_path / "model-b-0123456789ab.data"
    of_another.touch()
    monkeypatch.setattr(onnx, "LARGE", 0)
    monkeypatch.setattr(onnx, "_graph_of", cache(onnx._graph_of))
    for _ in range(2):
        rv.export_onnx(ease, path)
    files = set(tmp_path.iterdir())
    assert len(files) == 3
    with monkeypatch.context() as patch:
        patch.setattr(onnx, "sync", Mock(side_effect=OSError(28, "no room")))
        with pytest.raises(WriteError, match="no room"):
            rv.export_onnx(ease, path)
    assert set(tmp_path.iterdir()) == files
    monkeypatch.setattr(onnx, "LARGE", 10**9)
    rv.export_onnx(ease, path)
    assert set(tmp_path.iterdir()) == {path, of_another}


@given(st.lists(st.lists(st.integers(-2, 9), min_size=6, max_size=6), min_size=1, max_size=4))
def test_padded_rows_are_the_sets_of_their_items(lists):
    batch, weight = Padded.of_items(torch.tensor(lists), 10), torch.rand(10, 3)
    dense = torch.zeros(len(lists), 10)
    for row, items in zip(dense, lists, strict=True):
        row[sorted({item for item in items if item >= 0})] = 1
    torch.testing.assert_close(batch.multiply(weight), dense @ weight)
    torch.testing.assert_close(batch.sum(batch.values), dense.sum(dim=1))


@pytest.mark.parametrize(
    ("model", "k", "said"),
    [
        (rv.Popularity(), 5, "popularity can't be exported"),
        (rv.ImplicitALS(factors=3, input="counts"), 5, "trained on weights"),
        (rv.EASE(), ITEMS + 1, "k=31 must be a whole number"),
        (rv.EASE(), 0, "k=0 must be a whole number"),
    ],
)
def test_what_can_not_be_exported_is_refused(model, k, said, train, tmp_path):
    with pytest.raises(OptionError, match=said):
        rv.export_onnx(model.fit(train), tmp_path / "model.onnx", k)
    assert not list(tmp_path.iterdir())


def test_the_page_names_what_can_be_exported():
    page = (Path(__file__).parents[2] / "docs" / "export.md").read_text(encoding="utf-8")
    can, cannot, *_ = page.partition("## Which models")[2].split("Not ")
    cannot, _ = cannot.split("and no model")
    named = [set(re.findall(r"`([a-z-]+)`", part)) for part in (can, cannot)]
    able = {name for name, model in REGISTERED.items() if Ability.EXPORT in model.abilities}
    assert named == [able, set(REGISTERED) - able]


def test_an_unfitted_model_and_a_missing_package_are_refused(ease, tmp_path, monkeypatch):
    with pytest.raises(NotFittedError):
        rv.export_onnx(rv.EASE(), tmp_path / "model.onnx")
    monkeypatch.setitem(sys.modules, "onnxscript", None)
    with pytest.raises(MissingPackageError, match=r"pip install 'recvae\[onnx\]'"):
        rv.export_onnx(ease, tmp_path / "model.onnx")


def test_files_that_can_not_be_written_are_refused(ease, tmp_path):
    with pytest.raises(OptionError, match=r"model\.txt must end in \.onnx"):
        rv.export_onnx(ease, tmp_path / "model.txt")
    with pytest.raises(WriteError, match="there is no folder"):
        rv.export_onnx(ease, tmp_path / "no" / "model.onnx")
    assert not [*tmp_path.iterdir()]


def test_the_command(graph, ease, train):
    check(graph, ease, train[:5], k=5)


def test_movielens(real_data, tmp_path):
    data = rv.load_dataset("ml-100k", data_dir=real_data, min_rating=4, min_user_items=5)
    split = rv.split_users(data, n_validation=100, n_test=100)
    model = rv.ResidualEnsemble(n_vaes=1, epochs=1, rank=16, factors=8, device="cpu").fit(
        split.train
    )
    histories = split.test.fold_in[:100]
    rv.export_onnx(model, tmp_path / "model.onnx", k=10)
    check(tmp_path / "model.onnx", model, histories, k=10)
