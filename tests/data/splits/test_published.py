"""Published splits: what the files say is trained on, shown and held out."""

from math import log2
from pathlib import Path

import numpy as np
import pytest

import recvae as rv
from recvae.data.splits import SplitWarning
from recvae.errors import DataError, MissingFileError
from recvae.models import MODELS, build_model


def write(folder: Path, **files: str) -> Path:
    """Write the files of a split."""
    folder.mkdir(exist_ok=True)
    for name, text in files.items():
        (folder / f"{name}.txt").write_text(text)
    return folder


def lines(matrix, users, items) -> dict:
    """The items of each user, by raw ids."""
    pairs = zip(users, matrix, strict=True)
    return {user: items[row.indices].tolist() for user, row in pairs if row.nnz}


def generated(folder: Path, n_users: int = 40, n_items: int = 30) -> Path:
    """A split of random pairs: a fifth of them is for test."""
    rng = np.random.default_rng(0)
    texts = {"train": "", "test": ""}
    for user in range(n_users):
        items = rng.permutation(n_items)[: rng.integers(10, 20)].astype(str)
        n_test = len(items) // 5
        texts["train"] += f"{user} {' '.join(items[n_test:])}\n"
        texts["test"] += f"{user} {' '.join(items[:n_test])}\n"
    return write(folder, **texts)


TRAIN = "7 1 2 3 4 5 6 7 8 9 10\n3 1 2 3 4 5 6 7 8 9 11\n5 2\n"


def test_all_users_train_and_the_test_file_is_held_out(tmp_path):
    split = rv.read_split(write(tmp_path, train=TRAIN, test="3 10\n7 11\n5\n"))
    assert split.train.user_ids.tolist() == [3, 5, 7]
    assert split.train.item_ids.tolist() == list(range(1, 12))
    users, items = split.test.user_ids, split.train.item_ids
    assert lines(split.test.held_out, users, items) == {3: [10], 7: [11]}
    expected = {3: [*range(1, 10), 11], 7: list(range(1, 11))}
    assert lines(split.test.fold_in, users, items) == expected
    assert split.test.rows.tolist() == [0, 2]
    assert split.test.n_dropped == 1
    expected[5] = [2]
    assert lines(split.final.matrix, split.final.user_ids, items) == expected
    assert split.final.matrix.data.tolist() == [1.0] * 21


def test_a_tenth_of_the_training_pairs_is_for_validation(tmp_path):
    folder = generated(tmp_path)
    split, again, other = (rv.read_split(folder, seed=seed) for seed in (1, 1, 2))
    held_out = split.validation.held_out
    assert held_out.nnz == split.final.matrix.nnz // 10
    assert split.train.matrix.nnz + held_out.nnz == split.final.matrix.nnz
    trained = split.train.matrix[split.validation.rows]
    assert (trained != split.validation.fold_in).nnz == 0
    assert ((trained + held_out) != split.final.matrix[split.validation.rows]).nnz == 0
    assert split.validation.fingerprints() == again.validation.fingerprints()
    assert split.validation.fingerprints() != other.validation.fingerprints()
    assert split.test.fingerprints() == other.test.fingerprints()


def test_published_validation_pairs_are_taken(tmp_path):
    split = rv.read_split(write(tmp_path, train="a x y\nb z", valid="b x", test="a z"))
    assert split.final is None
    items = split.train.item_ids
    users = split.train.user_ids
    assert lines(split.train.matrix, users, items) == {"a": ["x", "y"], "b": ["z"]}
    assert lines(split.validation.held_out, split.validation.user_ids, items) == {"b": ["x"]}
    assert lines(split.test.fold_in, split.test.user_ids, items) == {"a": ["x", "y"]}


def test_ids_are_of_one_kind_in_all_files(tmp_path):
    train = f"1\t{' '.join(map(str, range(10)))}  B01\r\n\r\n2 007 3"
    split = rv.read_split(write(tmp_path, train=train, test="1 007\n2 B01\n"))
    assert split.train.user_ids.tolist() == [1, 2]
    assert set(split.train.item_ids) == {*map(str, range(10)), "B01", "007"}


def test_strangers_in_the_test_file_are_told(tmp_path):
    folder = write(tmp_path, train=TRAIN, test="3 10 99\n9 1\n8 99 2\n7 11")
    with pytest.warns(SplitWarning) as told:
        split = rv.read_split(folder)
    assert [str(warning.message) for warning in told] == [
        "test pairs of users without a training pair, which are left out: 3.",
        "test pairs with items that no user has in training, which are kept: 2.",
    ]
    assert all(warning.filename == __file__ for warning in told)
    assert split.test.user_ids.tolist() == [3, 7]
    held_out = lines(split.test.held_out, split.test.user_ids, split.train.item_ids)
    assert held_out == {3: [10, 99], 7: [11]}


def test_a_pair_of_two_files_counts_in_the_first(tmp_path):
    folder = write(tmp_path, train="7 1 1 2\n" + TRAIN, test="3 10 10 2\n")
    with pytest.warns(SplitWarning, match="there twice, and count once, in the first file: 5"):
        split = rv.read_split(folder)
    assert split.final.matrix.nnz == 21
    assert split.test.held_out.nnz == 1


def test_what_is_no_split(tmp_path):
    with pytest.raises(MissingFileError, match=r"no .*train\.txt: a published split is a folder"):
        rv.read_split(tmp_path)
    write(tmp_path, train=TRAIN)
    with pytest.raises(MissingFileError, match=r"test\.txt"):
        rv.read_split(tmp_path)
    with pytest.raises(DataError, match="none of 3 users is left to judge a model by"):
        rv.read_split(write(tmp_path, test="3\n7\n"))
    with pytest.raises(DataError, match="none of 1 users"):
        rv.read_split(write(tmp_path, train="3 1 2\n", test="3\n"))
    with pytest.raises(DataError, match="the table has no rows"):
        rv.read_split(write(tmp_path, train="", test=""))
    (tmp_path / "train.txt").write_bytes(b"1 \xff\n")
    with pytest.raises(DataError, match=r"train\.txt can't be read"):
        rv.read_split(tmp_path)


def of_papers(model: rv.ItemKNN, split: rv.Split, folder: Path, k: int) -> tuple[float, float]:
    """Recall and NDCG as the code of LightGCN counts them, from the files: plain Python."""
    train, test = (
        {int(user): set(map(int, items)) for user, *items in map(str.split, text.splitlines())}
        for text in ((folder / f"{name}.txt").read_text() for name in ("train", "test"))
    )
    ids = model.item_ids_.tolist()
    recalls, ndcgs = [], []
    for user, wanted in test.items():
        scores = dict(zip(ids, model.score(split.final.matrix[user])[0].tolist(), strict=True))
        ranked = sorted(scores.keys() - train[user], key=lambda item: (-scores[item], item))[:k]
        gains = [(item in wanted) / log2(rank + 2) for rank, item in enumerate(ranked)]
        recalls.append(len(wanted & {*ranked}) / len(wanted))
        ndcgs.append(sum(gains) / sum(1 / log2(n + 2) for n in range(min(k, len(wanted)))))
    return float(np.mean(recalls)), float(np.mean(ndcgs))


def test_the_figures_are_those_of_the_papers_own_code(tmp_path):
    folder = generated(tmp_path)
    split = rv.read_split(folder)
    model = rv.ItemKNN().fit(split.final)
    for k in (1, 2, 5):
        report = rv.evaluate(model, split.test, [f"full-recall@{k}", f"ndcg@{k}"])
        assert report.mean.tolist() == pytest.approx(of_papers(model, split, folder, k))


@pytest.mark.parametrize("name", sorted({*MODELS} - {"ensemble-of", "transitions"}))
def test_every_model_learns_beside_users_and_items_without_a_pair(name, tmp_path):
    folder = generated(tmp_path)
    with (folder / "test.txt").open("a") as file:
        file.write("999 5 6\n0 777\n")
    with pytest.warns(SplitWarning):
        split = rv.read_split(folder)
    assert (split.train.item_counts == 0).any()
    assert (np.diff(split.train.matrix.indptr) == 0).any()
    small = {"epochs": 1} if hasattr(build_model(name), "epochs") else {}
    model = build_model(name, small).fit(split.train, validation=split.validation)
    report = rv.evaluate(model, split.test, ["full-recall@20", "ndcg@20"])
    assert report.n_users == 40
    assert 0 < report.mean["ndcg@20"] <= 1
    scores = model.score(split.test.fold_in, split.test.rows)
    assert scores.isfinite().all()
