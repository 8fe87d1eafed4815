"""Tests of models that are kept: saved, loaded, updated."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
import torch

from recvae import options
from recvae.errors import DataError, NotFittedError, OptionError
from recvae.models.building import load_model
from recvae.testing.case import (
    BOARD,
    COLOURS,
    ITEMS,
    USERS,
    Case,
    assert_same_lists,
    checker_board,
    recommend,
)


class KeepingTests:
    """A loaded or updated model is as good as a fitted one."""

    def test_what_needs_fitting_says_so(self, case: Case, tmp_path: Path) -> None:
        model = case.make()
        calls: list[Callable[[], object]] = [
            lambda: model.recommend(case.histories),
            lambda: model.recommend_table(pd.DataFrame({"user": [], "item": []})),
            lambda: model.similar_items(np.array([0])),
            lambda: model.save(tmp_path),
            lambda: model.n_parameters,
            lambda: model.items_,
        ]
        for call in calls:
            with pytest.raises(NotFittedError, match="fit"):
                call()

    def test_a_loaded_model_gives_identical_lists(self, case: Case, tmp_path: Path) -> None:
        case.model.save(tmp_path / "model")
        loaded = load_model(tmp_path / "model", device="cpu")
        elsewhere = {"device": None}
        assert options.values(loaded) | elsewhere == options.values(case.model) | elsewhere
        assert loaded.n_parameters == case.model.n_parameters
        np.testing.assert_array_equal(recommend(loaded, case.histories), case.lists())
        table = pd.DataFrame({"user": ["user 3"], "item": ["item 1"]})
        pd.testing.assert_frame_equal(
            loaded.recommend_table(table), case.model.recommend_table(table)
        )

    def test_items_that_nobody_has_are_recommended_by_their_features(
        self, case: Case, tmp_path: Path
    ) -> None:
        kinds = [f"kind {n % 3}" for n in range(ITEMS + 3)]
        names = [f"item {n}" for n in range(ITEMS + 3)]
        grown = case.data.with_items(pd.DataFrame({"item": names, "kind": kinds}))
        cold = np.arange(ITEMS, ITEMS + 3)
        model = case.make().fit(grown, item_features=["kind"], keep_data=True)
        ids, scores = recommend(model, grown.matrix, 1, allow=cold)
        if case.personal:
            tastes = (ids[:, 0] + np.arange(USERS)) % 3 == 0
            assert tastes.mean() > 0.8
        model.save(tmp_path)
        again = recommend(load_model(tmp_path, device="cpu"), grown.matrix, 1, allow=cold)
        assert_same_lists((ids, scores), again)
        table = model.recommend_table(pd.DataFrame({"user": ["user 1"], "item": ["item 1"]}), 27)
        assert set(table["item"][table["cold"]]) == set(grown.item_ids[cold])
        more = case.data.with_items(pd.DataFrame({"item": ["item 99"], "kind": [kinds[-1]]}))
        today = model.update(more).facts_.data
        assert today is not None
        scored = model.score_or_count(today.matrix, np.arange(USERS))
        torch.testing.assert_close(scored[:, -1], scored[:, ITEMS + 2])

    def test_users_without_a_history_are_told_apart_by_their_features(
        self, case: Case, tmp_path: Path
    ) -> None:
        if not case.make().supports_new_users:
            with pytest.raises(OptionError, match="knows only the users"):
                case.make().fit(checker_board(BOARD), user_features=COLOURS[np.arange(BOARD) % 2])
            return
        nobody = sp.csr_matrix((2, BOARD))
        lists = case.board.recommend(nobody, 5, user_features=COLOURS)
        assert (lists[0] % 2 == [[0], [1]]).all()
        case.board.save(tmp_path)
        loaded = load_model(tmp_path, device="cpu")
        assert_same_lists(loaded.recommend(nobody, 5, user_features=COLOURS), lists)

    def test_a_model_of_a_bare_matrix_is_saved_too(self, case: Case, tmp_path: Path) -> None:
        case.board.save(tmp_path)
        loaded, rows = load_model(tmp_path, device="cpu"), checker_board(BOARD)
        np.testing.assert_array_equal(recommend(loaded, rows)[0], recommend(case.board, rows)[0])

    def test_an_update_keeps_columns_and_takes_new_users_and_items(self, case: Case) -> None:
        known = case.data.select_items(np.arange(ITEMS - 5)).select_users(np.arange(USERS - 10))
        model = case.make().fit(known, keep_data=True)
        new = case.data.select_users(np.arange(USERS - 1, 20, -1))
        new = new.select_items(np.flatnonzero(new.item_counts))
        assert model.update(new) is model
        assert list(model.item_ids_) == list(case.data.item_ids)
        assert model.n_users_ == USERS
        assert model.items_["title"].tolist() == case.data.items["title"].tolist()
        today = model.facts_.data
        assert today is not None
        lists, _ = recommend(model, today.matrix, ITEMS, exclude_seen=False)
        assert (np.sort(lists) == np.arange(ITEMS)).all()

    def test_removed_users_are_gone_from_a_loaded_model_too(
        self, case: Case, tmp_path: Path
    ) -> None:
        case.keeping.save(tmp_path)
        model = load_model(tmp_path, device="cpu")
        model.update(remove_users=["user 3", "user 40"])
        assert model.n_users_ == USERS - 2
        counts = case.data.select_users(np.delete(np.arange(USERS), [3, 40])).item_counts
        np.testing.assert_array_equal(model.item_counts_, counts)
        model.save(tmp_path)
        kept = load_model(tmp_path, device="cpu").facts_.data
        assert kept is not None
        assert not kept.user_ids.isin(["user 3", "user 40"]).any()

    def test_a_failed_update_changes_nothing(self, case: Case) -> None:
        with pytest.raises(OptionError, match="keep_data=True"):
            case.model.update(case.data)
        before = recommend(case.keeping, case.histories)
        with pytest.raises(DataError, match="there is no user nobody"):
            case.keeping.update(case.data, remove_users=["nobody"])
        with pytest.raises(DataError, match="no interaction"):
            case.keeping.update(remove_users=case.data.user_ids)
        assert_same_lists(recommend(case.keeping, case.histories), before)
