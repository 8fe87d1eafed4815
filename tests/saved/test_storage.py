import os
import shutil
import subprocess
from io import BytesIO
from threading import Thread

import forged_stores
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import scipy.sparse as sp
import torch
from forged_stores import reseal
from safetensors.torch import load_file, save

import recvae as rv
from recvae.data.interactions import Interactions
from recvae.disk import atomic, manifest, untrusted
from recvae.disk.store import Store
from recvae.errors import (
    DataError,
    MissingFileError,
    ModelFileError,
    OptionError,
    TrainingError,
    WriteError,
)
from recvae.saved.origin import code_commit

USERS = pd.DataFrame(index=pd.Index([f"u{n}" for n in range(30)], name="user"))
ITEMS = pd.DataFrame(
    {"title": [f"Title {n}" for n in range(12)]},
    index=pd.Index([f"i{n}" for n in range(12)], name="item"),
)


@pytest.fixture(scope="module")
def data():
    matrix = sp.random(30, 12, density=0.4, format="csr", random_state=0, dtype=np.float32)
    return Interactions(matrix, USERS, ITEMS)


@pytest.fixture(scope="module")
def made(data, tmp_path_factory):
    model = rv.MultVAE(hidden=(8,), latent=4, epochs=2, batch_size=10, device="cpu").fit(data)
    folder = tmp_path_factory.mktemp("made") / "model"
    model.save(folder)
    return model, folder


@pytest.fixture
def saved(made, tmp_path):
    model, folder = made
    return model, shutil.copytree(folder, tmp_path / "model")


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
    for draft in (".weights.safetensors.123", ".model.json.123", ".tmpa1B2c3"):  # of a killed save
        (folder / draft).touch()
    other = rv.MultVAE(hidden=(8,), latent=4, epochs=1, seed=1, device="cpu").fit(data)
    other.save(folder)
    np.testing.assert_array_equal(
        rv.load_model(folder).recommend(data.matrix)[1], other.recommend(data.matrix)[1]
    )
    names = sorted(path.name.split("-")[0] for path in folder.iterdir())
    assert names == [".lock", "history", "items", "model.json", "notes.txt", "weights"]


def test_two_that_save_to_the_same_folder_at_once(saved, data, monkeypatch):
    """The second comes when the first has written its files, and is to name them."""
    model, folder = saved
    write = manifest.write  # of recvae.disk
    second = Thread(target=rv.ItemKNN().fit(data).save, args=[folder])

    def write_while_another_saves(*arguments):
        monkeypatch.setattr(manifest, "write", write)
        second.start()
        second.join(timeout=0.5)
        write(*arguments)

    monkeypatch.setattr(manifest, "write", write_while_another_saves)
    model.save(folder)
    second.join()
    assert rv.load_model(folder).name == "item-knn"


def test_a_crash_while_saving_leaves_the_old_model(saved, data, monkeypatch):
    model, folder = saved

    def crash(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(atomic, "replace", crash)
    other = rv.MultVAE(hidden=(8,), latent=4, epochs=1, seed=1, device="cpu").fit(data)
    with pytest.raises(WriteError, match="No space left"):
        other.save(folder)
    np.testing.assert_array_equal(
        rv.load_model(folder).recommend(data.matrix)[1], model.recommend(data.matrix)[1]
    )
    monkeypatch.undo()
    other.save(folder)
    assert len(list(folder.iterdir())) == 4 + 1  # and the lock


@pytest.mark.parametrize("values", [["one", 2], [["a list"], []], [{"a": "map"}, {}]])
def test_a_table_of_items_that_can_not_be_saved_is_refused_before_training(data, values):
    table = pd.DataFrame({"title": values * 6}, index=ITEMS.index)
    with pytest.raises(DataError, match=r"a table of items or users can't be saved: .*title"):
        rv.Popularity().fit(data.with_item_info(table))


def test_a_table_of_items_that_can_not_be_loaded_is_refused_before_training(data, monkeypatch):
    monkeypatch.setattr(untrusted, "MAX_TABLE_BYTES", 10_000)
    rv.Popularity().fit(data)
    stories = pd.DataFrame({"story": ["a" * 1000] * 12}, index=ITEMS.index)
    with pytest.raises(DataError, match=r"items or users can't be saved: .* GiB"):
        rv.Popularity().fit(data.with_item_info(stories))


def test_a_device_that_is_not_here_is_not_the_models_fault(saved):
    with pytest.raises(OptionError, match="cuda:99"):
        rv.load_model(saved[1], device="cuda:99")


def test_a_folder_that_can_not_be_written(saved, tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(WriteError, match="can't be written"):
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


@pytest.mark.parametrize(
    "changes",
    [
        {"model": "mult-vea"},
        {"options": {"latent": -1}},
        {"options": {"no_such_option": 1}},
        {"options": {"latent": 5, "hidden": [8]}},
        {"n_items": 13},
        {"surprisal": 1},
    ],
)
def test_facts_that_were_tampered_with(saved, changes):
    reseal(saved[1] / "model.json", lambda said: said["facts"].update(changes))
    with pytest.raises(ModelFileError):
        rv.load_model(saved[1])


@pytest.mark.parametrize(
    "change",
    [
        lambda said: said.update(surprisal=1),
        lambda said: said.update(files={}),
        lambda said: said["files"]["weights"].update(name="../../etc/passwd"),
        lambda said: said["files"]["weights"].update(name="model.json"),
        lambda said: said["files"]["weights"].update(checksum="0"),
        lambda said: said["files"]["weights"].update(n_bytes=-1),
        lambda said: said["files"].update(items=said["files"]["weights"]),
    ],
)
def test_a_manifest_that_was_tampered_with(saved, change):
    reseal(saved[1] / "model.json", change)
    with pytest.raises(ModelFileError):
        rv.load_model(saved[1])


@pytest.mark.parametrize("number", [1, 2, None, "x" * 99])
def test_a_folder_of_an_older_format(saved, number):
    reseal(saved[1] / "model.json", lambda said: said.update(format=number))
    with pytest.raises(ModelFileError, match=r"another version of recvae .*, not 3\): save"):
        rv.load_model(saved[1])


@pytest.mark.parametrize("text", ["", "{", "[]", '{"format": 3}', "\xff"])
def test_a_manifest_that_is_none(saved, text):
    (saved[1] / "model.json").write_text(text)
    with pytest.raises(ModelFileError, match=r"model\.json"):
        rv.load_model(saved[1])


def test_a_manifest_that_was_changed_by_hand(saved):
    path = saved[1] / "model.json"
    path.write_text(path.read_text().replace('"seed": 0', '"seed": 1'))
    with pytest.raises(ModelFileError, match="does not have its checksum"):
        rv.load_model(saved[1])
    path.write_text(path.read_text().replace('"seed": 1', '"seed": 0') + "\n")
    rv.load_model(saved[1])


def forge(folder, role, content):
    """Put another file in the place of one, with its checksum."""
    forged_stores.forge(Store(folder, "model"), role, content)


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (lambda state: state | {"more": torch.ones(1)}, "not those of such a model|Unexpected key"),
        (lambda state: state | {"input.bias": torch.ones(9)}, "size mismatch"),
        (lambda state: state | {"input.bias": torch.full((8,), torch.nan)}, "not finite"),
        (lambda state: state | {"input.bias": torch.ones(8).double()}, "not those of such a model"),
        (lambda state: state | {"item_counts": torch.ones(12)}, "disagree about the number"),
        (lambda state: state | {"item_counts": torch.full((12,), 31)}, "more often than there are"),
        (lambda state: {"item_counts": state["item_counts"]}, "Missing key"),
    ],
)
def test_weights_that_were_forged(saved, change, problem):
    state = load_file(next(saved[1].glob("weights-*")))
    forge(saved[1], "weights", save(change(state)))
    with pytest.raises(ModelFileError, match=problem):
        rv.load_model(saved[1])


@pytest.mark.parametrize(
    ("ids", "problem"),
    [
        ([*"abcdefghijkk"], "the item id k is there twice"),
        ([*"abcdefghijk", None], "of the item ids are missing|not mixed"),
        ([n / 2 for n in range(12)], "all integers or all strings, not floating"),
        ([*"abcdefghijk"], "disagree about the number of items"),
    ],
)
def test_a_vocabulary_that_was_forged(saved, ids, problem):
    forge(saved[1], "items", pd.DataFrame(index=pd.Index(ids, name="item")).to_parquet())
    with pytest.raises(ModelFileError, match=problem):
        rv.load_model(saved[1])


def test_a_table_that_is_a_bomb(saved):
    text = pa.DictionaryArray.from_arrays(np.zeros(4000, np.int32), ["x" * 10**6])
    file = BytesIO()
    pq.write_table(pa.table({"title": text}), file)
    assert len(file.getvalue()) < 2**20
    forge(saved[1], "items", file.getvalue())
    with pytest.raises(ModelFileError, match=r"would take 3\.7 GiB unpacked"):
        rv.load_model(saved[1])


def test_a_table_with_lists(saved):
    lists = pd.DataFrame({"title": [["a"]] * 12}, index=ITEMS.index)
    forge(saved[1], "items", lists.to_parquet())
    with pytest.raises(ModelFileError, match="lists in its columns"):
        rv.load_model(saved[1])


@pytest.mark.parametrize("name", ["item", "title"])
def test_a_table_whose_texts_are_none(saved, name):
    items = {"item": pa.array([*ITEMS.index]), "title": pa.array([*ITEMS["title"]])}
    items[name] = pa.array([b"i\xe9%d" % n for n in range(12)]).view(pa.string())
    file = BytesIO()
    pq.write_table(pa.table(items), file)
    forge(saved[1], "items", file.getvalue())
    with pytest.raises(ModelFileError, match="UTF8"):
        rv.load_model(saved[1])


def test_similarities_of_another_type(data, tmp_path):
    rv.ItemKNN().fit(data).save(tmp_path)
    state = load_file(next(tmp_path.glob("weights-*")))
    forge(tmp_path, "weights", save(state | {"data": state["data"].to(torch.int8)}))
    with pytest.raises(ModelFileError, match=r"torch\.int8"):
        rv.load_model(tmp_path)


def test_similarities_of_items_that_are_not_there(data, tmp_path):
    rv.ItemKNN().fit(data).save(tmp_path)
    state = load_file(next(tmp_path.glob("weights-*")))
    forge(tmp_path, "weights", save(state | {"indices": state["indices"] + 10**6}))
    with pytest.raises(ModelFileError, match="indices"):
        rv.load_model(tmp_path)


def test_similarities_whose_rows_begin_where_they_can_not(data, tmp_path):
    """The differences of the offsets, of 32 bits, overflow and are all above 0."""
    rv.ItemKNN().fit(data).save(tmp_path)
    state = load_file(next(tmp_path.glob("weights-*")))
    state["indptr"][6:8] = torch.tensor([-(2**31), -1])
    forge(tmp_path, "weights", save(state))
    with pytest.raises(ModelFileError, match="ascend"):
        rv.load_model(tmp_path)


def test_vectors_that_no_user_can_be_solved_for(data, tmp_path):
    rv.ImplicitALS(factors=4, iterations=1).fit(data).save(tmp_path)
    state = load_file(next(tmp_path.glob("weights-*")))
    state["item_factors"][2] = torch.tensor([1e15, 2e15, 3e15, 5e15])
    forge(tmp_path, "weights", save(state))
    with pytest.raises(TrainingError, match="too large"):
        rv.load_model(tmp_path).recommend(data.matrix)


def test_options_that_claim_too_much_take_no_memory(saved):
    options = {"hidden": [10**9], "latent": 10**9}
    reseal(saved[1] / "model.json", lambda said: said["facts"].update(options=options))
    with pytest.raises(ModelFileError, match="size mismatch"):
        rv.load_model(saved[1])


@pytest.mark.parametrize("name", ["model.json", "weights", "items"])
@pytest.mark.parametrize("trick", ["link", "endless", "pipe", "folder"])
def test_what_is_no_regular_file(saved, tmp_path, name, trick):
    (path,) = saved[1].glob(f"{name}*")
    path.rename(tmp_path / "aside")
    match trick:
        case "link":
            path.symlink_to(tmp_path / "aside")
        case "endless":
            path.symlink_to("/dev/zero")
        case "pipe":
            os.mkfifo(path)
        case "folder":
            path.mkdir()
    with pytest.raises(ModelFileError, match="is no regular file"):
        rv.load_model(saved[1])


def test_a_manifest_that_is_too_long(saved):
    with (saved[1] / "model.json").open("ab") as file:
        file.truncate(2**40)
    with pytest.raises(ModelFileError, match=r"longer than 16,777,216 bytes"):
        rv.load_model(saved[1])


def test_where_a_model_comes_from_stays_with_it(saved, data, tmp_path):
    model, folder = saved
    loaded = rv.load_model(folder)
    assert loaded.origin_ == model.origin_
    assert loaded.origin_.torch == torch.__version__
    assert loaded.origin_.best is None
    loaded.save(tmp_path / "again")
    assert rv.load_model(tmp_path / "again").origin_ == model.origin_


def test_the_commit_of_a_checkout(tmp_path):
    assert code_commit(tmp_path) is None
    git = ["git", "-C", tmp_path, "-c", "user.name=a", "-c", "user.email=a@example.org"]
    subprocess.run([*git, "init", "-q"], check=True)
    file, index = tmp_path / "code.py", tmp_path / ".git" / "index"
    file.touch()
    subprocess.run([*git, "add", file], check=True)
    subprocess.run([*git, "commit", "-q", "-m", "one"], check=True)
    told = subprocess.run([*git, "rev-parse", "HEAD"], check=True, capture_output=True, text=True)
    os.utime(file, (0, 0))  # git looks at the file again, and would note that
    before = index.read_bytes()
    for text, ending in (("", ""), ("changed", "-dirty")):
        file.write_text(text)
        code_commit.cache_clear()
        assert code_commit(tmp_path) == told.stdout.strip() + ending
    assert index.read_bytes() == before


def test_no_model_there(tmp_path):
    (tmp_path / "file").touch()
    for place in (tmp_path, tmp_path / "no", tmp_path / "file"):
        with pytest.raises(MissingFileError, match=f"no model in {place}:"):
            rv.load_model(place)


def test_a_model_of_another_device_is_loaded_on_one_that_is_here(saved, data):
    reseal(saved[1] / "model.json", lambda said: said["facts"]["options"].update(device="cuda:7"))
    assert rv.load_model(saved[1], device="cpu").recommend(data.matrix, k=2)[0].shape == (30, 2)
