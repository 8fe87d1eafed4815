import json

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp

import recvae as rv
from recvae import atomic
from recvae.errors import MissingFileError, ModelFileError, OptionError
from recvae.interactions import Interactions

USERS = pd.DataFrame(index=pd.Index([f"u{n}" for n in range(30)], name="user"))
ITEMS = pd.DataFrame(
    {"title": [f"Title {n}" for n in range(12)]},
    index=pd.Index([f"i{n}" for n in range(12)], name="item"),
)


@pytest.fixture(scope="module")
def data():
    matrix = sp.random(30, 12, density=0.4, format="csr", random_state=0, dtype=np.float32)
    return Interactions(matrix, USERS, ITEMS)


@pytest.fixture
def saved(data, tmp_path):
    model = rv.MultVAE(hidden=(8,), latent=4, epochs=2, batch_size=10, device="cpu").fit(data)
    model.save(tmp_path / "model")
    return model, tmp_path / "model"


def test_what_is_loaded_is_what_was_saved(saved, data):
    model, folder = saved
    loaded = rv.load_model(folder)
    for one, other in zip(model.recommend(data.matrix), loaded.recommend(data.matrix), strict=True):
        np.testing.assert_array_equal(one, other)
    assert loaded.hidden == (8,)
    assert loaded.fingerprint_ == data.fingerprint()
    pd.testing.assert_frame_equal(loaded.items_, ITEMS)
    pd.testing.assert_frame_equal(loaded.history_, model.history_)


def test_a_saved_model_names_no_users_unless_it_must(saved, data, tmp_path):
    _, folder = saved
    assert not list(folder.glob("users*"))
    rv.ImplicitBPR(iterations=1, factors=2).fit(data).save(tmp_path / "bpr")
    assert list((tmp_path / "bpr").glob("users*"))


def test_saving_again_replaces_the_model_and_leaves_nothing_behind(saved, data):
    _, folder = saved
    (folder / "notes.txt").write_text("mine")
    other = rv.MultVAE(hidden=(8,), latent=4, epochs=1, seed=1, device="cpu").fit(data)
    other.save(folder)
    np.testing.assert_array_equal(
        rv.load_model(folder).recommend(data.matrix)[1], other.recommend(data.matrix)[1]
    )
    names = sorted(path.name.split("-")[0] for path in folder.iterdir())
    assert names == ["history", "items", "model.json", "notes.txt", "weights"]


def test_a_crash_while_saving_leaves_the_old_model(saved, data, monkeypatch):
    model, folder = saved

    def crash(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(atomic, "replace", crash)
    other = rv.MultVAE(hidden=(8,), latent=4, epochs=1, seed=1, device="cpu").fit(data)
    with pytest.raises(ModelFileError, match="No space left"):
        other.save(folder)
    np.testing.assert_array_equal(
        rv.load_model(folder).recommend(data.matrix)[1], model.recommend(data.matrix)[1]
    )
    monkeypatch.undo()
    other.save(folder)
    assert len(list(folder.iterdir())) == 4


def test_a_table_of_items_that_can_not_be_saved(data, tmp_path):
    mixed = pd.DataFrame({"title": ["one", 2] * 6}, index=ITEMS.index)
    model = rv.Popularity().fit(data.with_item_info(mixed))
    with pytest.raises(ModelFileError, match="table of items"):
        model.save(tmp_path)


def test_a_device_that_is_not_here_is_not_the_models_fault(saved):
    with pytest.raises(OptionError, match="cuda:99"):
        rv.load_model(saved[1], device="cuda:99")


def test_a_folder_that_can_not_be_written(saved, tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(ModelFileError, match="can't be saved"):
        saved[0].save(tmp_path / "file" / "model")


@pytest.mark.parametrize("role", ["weights", "items", "history"])
@pytest.mark.parametrize("damage", ["truncate", "flip", "remove"])
def test_a_damaged_file_is_one_clear_error(saved, role, damage):
    (path,) = saved[1].glob(f"{role}-*")
    content = bytearray(path.read_bytes())
    if damage == "truncate":
        path.write_bytes(content[:-20])
    elif damage == "flip":
        content[len(content) // 2] ^= 1
        path.write_bytes(content)
    else:
        path.unlink()
    with pytest.raises(ModelFileError, match=role):
        rv.load_model(saved[1])


def rewrite(folder, **changes):
    path = folder / "model.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


@pytest.mark.parametrize(
    "changes",
    [
        {"format": 2},
        {"model": "mult-vea"},
        {"options": {"latent": -1}},
        {"options": {"no_such_option": 1}},
        {"options": {"latent": 5, "hidden": [8]}},
        {"n_items": 13},
        {"surprise": 1},
        {"files": {"weights": {"name": "../../etc/passwd", "sha256": "0"}}},
        {"files": {}},
    ],
)
def test_a_manifest_that_was_tampered_with(saved, changes):
    rewrite(saved[1], **changes)
    with pytest.raises(ModelFileError):
        rv.load_model(saved[1])


@pytest.mark.parametrize("text", ["", "{", "[]", '{"format": 1}', "\xff"])
def test_a_manifest_that_is_none(saved, text):
    (saved[1] / "model.json").write_text(text)
    with pytest.raises(ModelFileError, match=r"model\.json"):
        rv.load_model(saved[1])


def test_no_model_there(tmp_path):
    with pytest.raises(MissingFileError, match="no model"):
        rv.load_model(tmp_path)


def test_a_model_of_another_device_is_loaded_on_one_that_is_here(saved, data):
    rewrite(
        saved[1],
        options=json.loads((saved[1] / "model.json").read_text())["options"] | {"device": "cuda:7"},
    )
    assert rv.load_model(saved[1], device="cpu").recommend(data.matrix, k=2)[0].shape == (30, 2)
