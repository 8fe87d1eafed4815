"""Tests of lists: their order, what is in them, for known users and new ones, and for tables."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
import torch

from recvae.data.splits import Holdout, split_users
from recvae.errors import DataError, FoldInError, OptionError
from recvae.models.building import load_model
from recvae.models.contract.scorer import EmptyHistoryWarning
from recvae.ranking import blocks
from recvae.ranking.rerank import Boost, Cap, Pin
from recvae.testing.case import (
    BOARD,
    ITEMS,
    USERS,
    Case,
    assert_same_lists,
    checker_board,
    recommend,
    require,
)


class RecommendingTests:
    """Lists hold the best of what may be shown."""

    def test_the_checker_board_is_solved(self, case: Case) -> None:
        require(case.personal, "its lists are the same for all")
        ids, _ = recommend(case.board, checker_board(BOARD), 1)
        np.testing.assert_array_equal(ids[:, 0], np.arange(BOARD))

    def test_lists_are_sorted_and_of_the_promised_types(self, case: Case) -> None:
        ids, scores = case.lists(7)
        assert ids.shape == scores.shape == (USERS, 7)
        assert (str(ids.dtype), str(scores.dtype)) == ("int64", "float32")
        assert (np.diff(scores, axis=1) <= 0).all()
        assert all(len(set(row)) == 7 for row in ids)

    def test_seen_items_are_never_returned_unless_asked_for(self, case: Case) -> None:
        seen = case.histories.toarray() > 0
        ids, scores = case.lists(ITEMS)
        for user in range(USERS):
            found = ids[user] >= 0
            assert sorted(ids[user][found]) == np.flatnonzero(~seen[user]).tolist()
            assert (scores[user][~found] == -np.inf).all()
            assert not found[found.sum() :].any()
        every, _ = case.lists(ITEMS, exclude_seen=False)
        np.testing.assert_array_equal(np.sort(every), np.tile(np.arange(ITEMS), (USERS, 1)))

    @pytest.mark.parametrize("k", [0, -1, ITEMS + 1, 2.5])
    def test_a_list_of_impossible_length(self, case: Case, k: Any) -> None:
        with pytest.raises(OptionError, match="k="):
            case.lists(k)

    @pytest.mark.parametrize("per_user", [False, True])
    def test_allow_and_deny(self, case: Case, per_user: bool) -> None:
        columns = [3, 5, 7, 11]
        lists = [columns] * USERS if per_user else columns
        ids, _ = case.lists(6, allow=lists, exclude_seen=False)
        np.testing.assert_array_equal(np.sort(ids[:, :4]), np.tile(columns, (USERS, 1)))
        assert (ids[:, 4:] == -1).all()
        ids, _ = case.lists(ITEMS, deny=lists, exclude_seen=False)
        assert not np.isin(ids, columns).any()
        assert (ids[:, -4:] == -1).all()

    def test_lists_are_put_together_by_more_than_scores(self, case: Case) -> None:
        plain, _ = case.lists(6)
        ids, _ = case.lists(6, rerank=[Cap(1, "title"), Boost(0)])
        np.testing.assert_array_equal(ids, plain)
        niche, _ = case.lists(6, rerank=[Boost(-1)])
        every, _ = case.lists(ITEMS)
        for user in range(USERS):
            fewest = np.sort(case.model.item_counts_[every[user][every[user] >= 0]])[:6]
            np.testing.assert_array_equal(case.model.item_counts_[niche[user]], fewest)

    def test_pinned_items_come_first_where_they_may_be_shown(
        self, case: Case, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("recvae.ranking.rerank.POOL", 6)  # most pins are no candidates
        pins = Pin(["item 7", "item 2", "item 11"])
        ids, scores = case.lists(3, rerank=[pins], deny=[11])
        every, of_every = case.lists(ITEMS, deny=[11])
        for user in range(USERS):
            own = dict(zip(every[user].tolist(), of_every[user].tolist(), strict=True))
            best = [item for item in (7, 2) if item in own]
            best += [item for item in own if item not in (7, 2)]
            assert ids[user].tolist() == best[:3]
            assert scores[user].tolist() == pytest.approx([own[item] for item in best[:3]])

    def test_equal_scores_rank_by_column(self, case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(
            type(case.model), "score", lambda self, rows, _: torch.zeros(rows.shape)
        )
        ids, _ = case.lists(9, exclude_seen=False)
        np.testing.assert_array_equal(ids, np.tile(np.arange(9), (USERS, 1)))

    def test_a_batch_gives_what_each_user_alone_gets(self, case: Case) -> None:
        together = case.lists(5)
        for user in range(8):
            alone = case.model.recommend(case.histories[user], 5, rows=np.array([user]))
            assert_same_lists(alone, (together[0][[user]], together[1][[user]]))

    def test_lists_do_not_depend_on_the_blocks(
        self, case: Case, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        whole = case.lists(5)
        monkeypatch.setattr(blocks, "CELLS", 7 * ITEMS)
        assert_same_lists(case.lists(5), whole)

    def test_scores_are_fresh_memory(self, case: Case) -> None:
        rows = np.arange(USERS)
        before = case.model.score(case.histories, rows).clone()
        case.model.score(case.histories, rows).fill_(-1.0)
        np.testing.assert_array_equal(case.model.score(case.histories, rows).cpu(), before.cpu())

    def test_no_users_get_no_lists(self, case: Case) -> None:
        ids, scores = recommend(case.model, sp.csr_matrix((0, ITEMS)), 4)
        assert ids.shape == scores.shape == (0, 4)

    def test_histories_of_other_items_are_refused(self, case: Case) -> None:
        with pytest.raises(DataError, match=f"{ITEMS + 1} columns"):
            recommend(case.model, sp.csr_matrix((2, ITEMS + 1)))
        others = replace(case.data, items=case.data.items[::-1])
        with pytest.raises(DataError, match="not of the same items"):
            case.model.recommend(others, rows=np.arange(USERS))  # type: ignore[arg-type]
        validation = Holdout(case.histories, 0 * case.histories, item_ids=others.item_ids)
        with pytest.raises(DataError, match="not of the same items"):
            case.make().fit(case.data, validation)
        with pytest.raises(DataError, match="got Split"):
            case.make().fit(case.data, split_users(case.data))  # type: ignore[arg-type]

    @pytest.mark.parametrize("bad", [np.eye(ITEMS), sp.csr_matrix(np.eye(ITEMS) * np.nan)])
    def test_bad_histories_are_refused(self, case: Case, bad: Any) -> None:
        with pytest.raises(DataError):
            recommend(case.model, bad)

    def test_empty_histories_get_the_most_popular_items(self, case: Case) -> None:
        require(case.model.supports_new_users, "it knows the training users only")
        some = sp.csr_matrix(([1.0], ([1], [0])), shape=(3, ITEMS))
        with pytest.warns(EmptyHistoryWarning, match="2 of 3"):
            ids, scores = case.model.recommend(some, 6)
        popular = np.argsort(-case.model.item_counts_, kind="stable")[:6]
        np.testing.assert_array_equal(ids[[0, 2]], [popular, popular])
        np.testing.assert_array_equal(scores[0], case.model.item_counts_[popular])

    def test_unseen_users_are_served_from_their_history_alone(self, case: Case) -> None:
        require(case.model.supports_new_users, "it knows the training users only")
        assert_same_lists(
            case.model.recommend(case.histories[::-1]), recommend(case.model, case.histories[::-1])
        )
        unseen = sp.csr_matrix((np.ones(2), ([0, 0], [0, 3])), shape=(1, ITEMS))
        ids, _ = case.model.recommend(unseen, 5)
        assert not np.isin(ids, [0, 3]).any()

    def test_unseen_users_are_refused_by_a_model_of_trained_users(self, case: Case) -> None:
        require(not case.model.supports_new_users, "it recommends for new users")
        with pytest.raises(FoldInError, match="rows"):
            case.model.recommend(case.histories)
        with pytest.raises(FoldInError, match="rows"):
            case.model.score(case.histories)
        for rows in (np.array([0]), np.arange(USERS) + 1, np.arange(USERS) - 1):
            with pytest.raises(OptionError, match="rows must"):
                case.model.recommend(case.histories, rows=rows)
        stranger = pd.DataFrame({"user": ["nobody"], "item": ["item 1"]})
        with pytest.raises(FoldInError, match="nobody"):
            case.model.recommend_table(stranger)

    def test_trained_users_are_told_apart_by_their_rows(self, case: Case) -> None:
        require(not case.model.supports_new_users, "it recommends for new users")
        rows, whole = np.array([7, 3]), case.lists()
        assert_same_lists(
            case.model.recommend(case.histories[rows], rows=rows), (whole[0][rows], whole[1][rows])
        )

    def test_recommend_table_speaks_raw_ids(self, case: Case) -> None:
        table = case.model.recommend_table(
            {"who": ["user 9", "user 2", "user 9"], "what": ["item 1", "item 4", "item 2"]},
            k=3,
            user="who",
            item="what",
        )
        assert list(table) == ["user", "item", "rank", "score", "title"]
        assert table["rank"].tolist() == [1, 2, 3, 1, 2, 3]
        assert set(table["user"]) == {"user 2", "user 9"}
        nine = table[table["user"] == "user 9"]
        assert not nine["item"].isin(["item 1", "item 2"]).any()
        assert (nine["title"] == nine["item"].str.replace("item", "Title")).all()
        history = sp.csr_matrix(([1.0, 1.0], ([0, 0], [1, 2])), shape=(1, ITEMS))
        ids, scores = case.model.recommend(history, 3, rows=np.array([9]))
        assert nine["item"].tolist() == [f"item {column}" for column in ids[0]]
        np.testing.assert_allclose(nine["score"], scores[0], rtol=1e-4)

    def test_recommend_table_counts_the_items_it_does_not_know(self, case: Case) -> None:
        table = pd.DataFrame({"user": ["user 1"] * 2, "item": ["item 1", "item 99"]})
        with pytest.warns(UserWarning, match=r"\b1\b"):
            assert len(case.model.recommend_table(table, k=4)) == 4

    def test_what_a_user_dislikes_is_never_recommended(self, case: Case, tmp_path: Path) -> None:
        met = np.random.default_rng(2).random(case.data.shape) < 0.3
        disliked = sp.csr_matrix(met & (case.histories.toarray() == 0))
        model = case.make().fit(replace(case.data, disliked=disliked, min_weight=4))
        stars = sp.coo_matrix(5 * (case.histories > 0) + 2 * disliked)
        ids = {"user": case.data.user_ids[stars.row], "item": case.data.item_ids[stars.col]}
        table = pd.DataFrame(ids | {"stars": stars.data})
        denied, _ = recommend(model, case.histories, ITEMS, deny=disliked)
        assert (denied >= 0).sum() == USERS * ITEMS - len(table)
        lists = model.recommend_table(table, ITEMS, value="stars")
        listed = set(zip(lists["user"], lists["item"], strict=True))
        every = {(user, item) for user in case.data.user_ids for item in case.data.item_ids}
        assert listed == every - set(zip(*ids.values(), strict=True))
        model.save(tmp_path)
        loaded = load_model(tmp_path, device="cpu")
        pd.testing.assert_frame_equal(loaded.recommend_table(table, ITEMS, value="stars"), lists)

    def test_recommend_table_takes_what_is_allowed_and_denied(self, case: Case) -> None:
        table = {"user": ["user 9", "user 2"], "item": ["item 1", "item 4"]}
        stock = {f"item {n}" for n in (1, 2, 3, 5)}
        lists = case.model.recommend_table(table, 9, allow=stock, deny=["item 5"])
        assert set(lists["item"]) == {"item 1", "item 2", "item 3"}
        with pytest.warns(UserWarning, match="1 of 2 deny ids are unknown .* item 99"):
            lists = case.model.recommend_table(table, ITEMS, deny=["item 99", "item 3"])
        assert "item 3" not in set(lists["item"])
        with pytest.raises(DataError, match="item ids are of type integer"):
            case.model.recommend_tables(table, allow=[98, 99])
