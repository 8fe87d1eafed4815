"""Tests of tables: raw ids in, lists of raw ids out."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp

from recvae.data.interactions import Interactions
from recvae.errors import DataError
from recvae.models.building import load_model
from recvae.models.contract.recommender import Recommender
from recvae.testing.fixtures import ITEMS, USERS, WITHOUT_TIMES, Fixtures, Make, recommend


class TableTests(Fixtures):
    """Lists for tables are those for matrices."""

    @WITHOUT_TIMES
    def test_recommend_table_speaks_raw_ids(self, model: Recommender) -> None:
        table = model.recommend_table(
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
        ids, scores = model.recommend(history, 3, rows=np.array([9]))
        assert nine["item"].tolist() == [f"item {column}" for column in ids[0]]
        np.testing.assert_allclose(nine["score"], scores[0], rtol=1e-4)

    @WITHOUT_TIMES
    def test_recommend_table_counts_the_items_it_does_not_know(self, model: Recommender) -> None:
        table = pd.DataFrame({"user": ["user 1"] * 2, "item": ["item 1", "item 99"]})
        with pytest.warns(UserWarning, match=r"\b1\b"):
            assert len(model.recommend_table(table, k=4)) == 4

    def test_what_a_user_dislikes_is_never_recommended(
        self, make: Make, data: Interactions, tmp_path: Path
    ) -> None:
        met = np.random.default_rng(2).random(data.shape) < 0.3
        disliked = sp.csr_matrix(met & (data.matrix.toarray() == 0))
        model = make().fit(replace(data, disliked=disliked, min_weight=4))
        stars = sp.coo_matrix(5 * (data.matrix > 0) + 2 * disliked)
        ids = {"user": data.user_ids[stars.row], "item": data.item_ids[stars.col]}
        table = pd.DataFrame(ids | {"stars": stars.data})
        denied, _ = recommend(model, data.matrix, ITEMS, deny=disliked)
        assert (denied >= 0).sum() == USERS * ITEMS - len(table)
        lists = model.recommend_table(table, ITEMS, value="stars")
        listed = set(zip(lists["user"], lists["item"], strict=True))
        every = {(user, item) for user in data.user_ids for item in data.item_ids}
        assert listed == every - set(zip(*ids.values(), strict=True))
        model.save(tmp_path)
        loaded = load_model(tmp_path, device="cpu")
        pd.testing.assert_frame_equal(loaded.recommend_table(table, ITEMS, value="stars"), lists)

    @WITHOUT_TIMES
    def test_recommend_table_takes_what_is_allowed_and_denied(self, model: Recommender) -> None:
        table = {"user": ["user 9", "user 2"], "item": ["item 1", "item 4"]}
        stock = {f"item {n}" for n in (1, 2, 3, 5)}
        lists = model.recommend_table(table, 9, allow=stock, deny=["item 5"])
        assert set(lists["item"]) == {"item 1", "item 2", "item 3"}
        with pytest.warns(UserWarning, match="1 of 2 deny ids are unknown .* item 99"):
            lists = model.recommend_table(table, ITEMS, deny=["item 99", "item 3"])
        assert "item 3" not in set(lists["item"])
        with pytest.raises(DataError, match="item ids are of type integer"):
            model.recommend_tables(table, allow=[98, 99])
