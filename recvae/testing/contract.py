"""The contract suite: what every recommender promises, as tests."""

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
import torch

from recvae import options
from recvae.data.interactions import Interactions
from recvae.data.splits import Holdout, split_users
from recvae.errors import DataError, FoldInError, NotFittedError, OptionError
from recvae.evaluation.evaluate import evaluate
from recvae.exporting.padded import Padded
from recvae.models.contract.abilities import Ability
from recvae.models.contract.lists import EmptyHistoryWarning
from recvae.models.contract.recommender import Recommender
from recvae.models.loading import load_model
from recvae.models.registry import MODELS
from recvae.options.spaces import Categorical
from recvae.ranking import blocks, shortlist
from recvae.ranking.rerank import Boost, Cap

USERS, ITEMS, BOARD = 60, 25, 20

Make: TypeAlias = Callable[[], Recommender]
Lists: TypeAlias = tuple[np.ndarray, np.ndarray]

WITHOUT_TIMES = pytest.mark.filterwarnings(
    "ignore::recvae.models.contract.lists.MissingWeightsWarning"
)
"""For tests of tables that have no column of times, which some models miss."""


@pytest.mark.filterwarnings("ignore::recvae.models.MissingWeightsWarning")
class RecommenderContract:
    """The tests that a model must pass to be used everywhere that the models of this package are.

    Make a subclass whose name begins with `Test` and that defines `new`; pytest runs the suite on
    it. The model must be registered by its name. Its options must suit small data: it must learn 60
    users in seconds, and solve a checker board of 20 users and 20 items.

    Attributes:
        personal: whether lists depend on the history; False for models such as popularity.
    """

    personal: bool = True

    @classmethod
    def new(cls) -> Recommender:
        """Make a model that is not fitted, each time with the same options."""
        raise NotImplementedError("give the model that is to be tested")

    @pytest.fixture(scope="class")
    @classmethod
    def make(cls) -> Make:
        """The function that makes a new model."""
        return cls.new

    @pytest.fixture(scope="class")
    @classmethod
    def data(cls) -> Interactions:
        """60 users of three tastes and 25 items with titles, in a known order."""
        rng = np.random.default_rng(0)
        liking = np.where(np.add.outer(np.arange(USERS), np.arange(ITEMS)) % 3 == 0, 0.7, 0.1)
        matrix = sp.csr_matrix((rng.random((USERS, ITEMS)) < liking).astype(np.float32))
        users = pd.DataFrame(index=pd.Index([f"user {n}" for n in range(USERS)], name="user"))
        items = pd.DataFrame(
            {"title": [f"Title {n}" for n in range(ITEMS)]},
            index=pd.Index([f"item {n}" for n in range(ITEMS)], name="item"),
        )
        times = rng.permutation(matrix.nnz)
        return Interactions(matrix, users, items, times).in_order()

    @pytest.fixture(scope="class")
    @classmethod
    def model(cls, make: Make, data: Interactions) -> Recommender:
        """The model, fitted to the data."""
        return make().fit(data)

    @pytest.fixture(scope="class")
    @classmethod
    def board(cls, make: Make) -> Recommender:
        """The model, fitted to the checker board."""
        return make().fit(checker_board(BOARD))

    @pytest.fixture
    def histories(self, data: Interactions) -> sp.csr_matrix:
        """The training users' histories."""
        return data.matrix

    # Fitting

    def test_it_is_registered_by_its_name(self, make: Make) -> None:
        assert MODELS[make().name] is type(make())

    def test_fit_returns_the_model_and_leaves_its_options(
        self, make: Make, data: Interactions
    ) -> None:
        model = make()
        before = options.values(model)
        assert model.fit(data) is model
        assert options.values(model) == before

    def test_scikit_learn_clones_it_without_what_it_learnt(self, model: Recommender) -> None:
        copy = pytest.importorskip("sklearn.base").clone(model)
        assert copy.get_params().keys() == model.get_params().keys()
        assert options.values(copy) == options.values(model)
        with pytest.raises(NotFittedError):
            copy.facts_  # noqa: B018

    def test_fit_takes_a_sparse_matrix_too(
        self, make: Make, model: Recommender, histories: sp.csr_matrix
    ) -> None:
        other = make().fit(sp.coo_matrix(histories))  # type: ignore[arg-type]
        assert_same_lists(recommend(model, histories), recommend(other, histories))
        assert list(other.item_ids_) == list(range(ITEMS))

    def test_fit_counts_what_it_saw(self, model: Recommender, data: Interactions) -> None:
        np.testing.assert_array_equal(model.item_counts_, (data.matrix > 0).sum(axis=0).A1)
        assert model.n_users_ == USERS
        assert model.fingerprint_ == data.fingerprint()

    def test_the_same_seed_gives_the_same_lists(
        self, make: Make, model: Recommender, data: Interactions
    ) -> None:
        again = recommend(make().fit(data), data.matrix)
        np.testing.assert_array_equal(recommend(model, data.matrix), again)

    def test_a_second_fit_forgets_the_first(
        self, make: Make, model: Recommender, data: Interactions
    ) -> None:
        again = make().fit(checker_board(10)).fit(data)
        assert_same_lists(recommend(again, data.matrix), recommend(model, data.matrix))

    def test_what_its_caller_has_set_in_torch_and_numpy_changes_nothing(
        self, make: Make, model: Recommender, data: Interactions, tmp_path: Path
    ) -> None:
        fixed = sp.csr_matrix(data.matrix, copy=True)
        for part in (fixed.data, fixed.indices, fixed.indptr):
            part.setflags(write=False)  # as Ray and joblib share it
        torch.set_default_dtype(torch.float64)
        try:
            with torch.inference_mode():
                make().fit(replace(data, matrix=fixed)).save(tmp_path)
                loaded = load_model(tmp_path)
                lists = recommend(loaded, fixed)
        finally:
            torch.set_default_dtype(torch.float32)
        assert_same_lists(lists, recommend(model, data.matrix))
        assert {name: part.dtype for name, part in loaded.state().items()} == {
            name: part.dtype for name, part in model.state().items()
        }

    def test_inputs_are_not_modified(self, make: Make) -> None:
        matrix = checker_board(10) * 3
        allow = sp.csr_matrix(([1, 0, 1], ([0, 0, 4], [3, 1, 2])), shape=(10, 10))
        copies = matrix.copy(), allow.copy()
        recommend(make().fit(matrix), matrix, 5, allow=allow, deny=allow)
        for now, before in zip((matrix, allow), copies, strict=True):
            for part in ("data", "indices", "indptr"):
                np.testing.assert_array_equal(getattr(now, part), getattr(before, part))

    @pytest.mark.parametrize(
        ("matrix", "message"),
        [
            (np.eye(4), "sparse"),
            (sp.csr_matrix(np.diag([1.0, np.nan])), "finite"),
            (sp.csr_matrix(np.diag([1.0, -1.0])), "negative"),
            (sp.csr_matrix((3, 3)), "no interaction"),
            (sp.csr_matrix((0, 0)), "no interaction"),
        ],
    )
    def test_nothing_is_learnt_from_bad_data(self, make: Make, matrix: Any, message: str) -> None:
        with pytest.raises(DataError, match=message):
            make().fit(matrix)

    def test_options_out_of_their_range_are_refused_by_fit(
        self, make: Make, data: Interactions
    ) -> None:
        numbers = {
            option: value
            for option, value in options.values(make()).items()
            if isinstance(value, int | float) and option != "seed"
        }
        if not numbers:
            pytest.skip("it has no option that is a number")
        for option, value in numbers.items():
            for wrong in (-1, str(value), float("nan")):
                model = make()
                setattr(model, option, wrong)
                with pytest.raises(OptionError, match=option):
                    model.fit(data)

    def test_on_epoch_hears_what_the_history_says(self, make: Make, data: Interactions) -> None:
        split = split_users(data, n_validation=15, n_test=5)
        heard: list[tuple[int, float]] = []
        model = make().fit(split.train, split.validation, lambda *epoch: heard.append(epoch))
        history = pd.DataFrame(model.history_, columns=["epoch", "ndcg@100"])
        assert heard == list(zip(history["epoch"], history["ndcg@100"], strict=True))

    def test_the_search_space_holds_the_defaults_and_its_ends_are_possible(
        self, make: Make
    ) -> None:
        cls = type(make())
        if not cls.space:
            pytest.skip("it has nothing to tune")
        for option, kind in cls.space.items():
            assert getattr(cls(), option) in kind
            for value in kind.among if isinstance(kind, Categorical) else (kind.low, kind.high):
                options.check(cls(**{option: value}))

    # Recommending

    def test_the_checker_board_is_solved(self, board: Recommender) -> None:
        self._require_personal()
        ids, _ = recommend(board, checker_board(BOARD), 1)
        np.testing.assert_array_equal(ids[:, 0], np.arange(BOARD))

    def test_lists_are_sorted_and_of_the_promised_types(
        self, model: Recommender, histories: sp.csr_matrix
    ) -> None:
        ids, scores = recommend(model, histories, 7)
        assert ids.shape == scores.shape == (USERS, 7)
        assert (str(ids.dtype), str(scores.dtype)) == ("int64", "float32")
        assert (np.diff(scores, axis=1) <= 0).all()
        assert all(len(set(row)) == 7 for row in ids)

    def test_seen_items_are_never_returned_unless_asked_for(
        self, model: Recommender, histories: sp.csr_matrix
    ) -> None:
        seen = histories.toarray() > 0
        ids, scores = recommend(model, histories, ITEMS)
        for user in range(USERS):
            found = ids[user] >= 0
            assert sorted(ids[user][found]) == np.flatnonzero(~seen[user]).tolist()
            assert (scores[user][~found] == -np.inf).all()
            assert not found[found.sum() :].any()
        every, _ = recommend(model, histories, ITEMS, exclude_seen=False)
        np.testing.assert_array_equal(np.sort(every), np.tile(np.arange(ITEMS), (USERS, 1)))

    @pytest.mark.parametrize("k", [0, -1, ITEMS + 1, 2.5])
    def test_a_list_of_impossible_length(
        self, model: Recommender, histories: sp.csr_matrix, k: Any
    ) -> None:
        with pytest.raises(OptionError, match="k="):
            recommend(model, histories, k)

    @pytest.mark.parametrize("per_user", [False, True])
    def test_allow_and_deny(
        self, model: Recommender, histories: sp.csr_matrix, per_user: bool
    ) -> None:
        columns = [3, 5, 7, 11]
        lists = [columns] * USERS if per_user else columns
        ids, _ = recommend(model, histories, 6, allow=lists, exclude_seen=False)
        np.testing.assert_array_equal(np.sort(ids[:, :4]), np.tile(columns, (USERS, 1)))
        assert (ids[:, 4:] == -1).all()
        ids, _ = recommend(model, histories, ITEMS, deny=lists, exclude_seen=False)
        assert not np.isin(ids, columns).any()
        assert (ids[:, -4:] == -1).all()

    def test_lists_are_put_together_by_more_than_scores(
        self, model: Recommender, histories: sp.csr_matrix
    ) -> None:
        plain, _ = recommend(model, histories, 6)
        ids, _ = recommend(model, histories, 6, rerank=[Cap(1, "title"), Boost(0)])
        np.testing.assert_array_equal(ids, plain)
        niche, _ = recommend(model, histories, 6, rerank=[Boost(-1)])
        every, _ = recommend(model, histories, ITEMS)
        for user in range(USERS):
            fewest = np.sort(model.item_counts_[every[user][every[user] >= 0]])[:6]
            np.testing.assert_array_equal(model.item_counts_[niche[user]], fewest)

    def test_equal_scores_rank_by_column(
        self, model: Recommender, histories: sp.csr_matrix, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(type(model), "score", lambda self, rows, _: torch.zeros(rows.shape))
        ids, _ = recommend(model, histories, 9, exclude_seen=False)
        np.testing.assert_array_equal(ids, np.tile(np.arange(9), (USERS, 1)))

    def test_a_batch_gives_what_each_user_alone_gets(
        self, model: Recommender, histories: sp.csr_matrix
    ) -> None:
        together = recommend(model, histories, 5)
        for user in range(8):
            alone = model.recommend(histories[user], 5, rows=np.array([user]))
            assert_same_lists(alone, (together[0][[user]], together[1][[user]]))

    def test_lists_do_not_depend_on_the_blocks(
        self, model: Recommender, histories: sp.csr_matrix, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        whole = recommend(model, histories, 5)
        monkeypatch.setattr(blocks, "CELLS", 7 * ITEMS)
        assert_same_lists(recommend(model, histories, 5), whole)

    def test_scores_are_fresh_memory(self, model: Recommender, histories: sp.csr_matrix) -> None:
        rows = np.arange(USERS)
        before = model.score(histories, rows).clone()
        model.score(histories, rows).fill_(-1.0)
        np.testing.assert_array_equal(model.score(histories, rows).cpu(), before.cpu())

    def test_no_users_get_no_lists(self, model: Recommender) -> None:
        ids, scores = recommend(model, sp.csr_matrix((0, ITEMS)), 4)
        assert ids.shape == scores.shape == (0, 4)

    def test_histories_of_other_items_are_refused(
        self, make: Make, model: Recommender, data: Interactions
    ) -> None:
        with pytest.raises(DataError, match=f"{ITEMS + 1} columns"):
            recommend(model, sp.csr_matrix((2, ITEMS + 1)))
        others = replace(data, items=data.items[::-1])
        with pytest.raises(DataError, match="not of the same items"):
            model.recommend(others, rows=np.arange(USERS))  # type: ignore[arg-type]
        validation = Holdout(data.matrix, 0 * data.matrix, item_ids=others.item_ids)
        with pytest.raises(DataError, match="not of the same items"):
            make().fit(data, validation)
        with pytest.raises(DataError, match="got Split"):
            make().fit(data, split_users(data))  # type: ignore[arg-type]

    @pytest.mark.parametrize("bad", [np.eye(ITEMS), sp.csr_matrix(np.eye(ITEMS) * np.nan)])
    def test_bad_histories_are_refused(self, model: Recommender, bad: Any) -> None:
        with pytest.raises(DataError):
            recommend(model, bad)

    # New users, or none

    def test_empty_histories_get_the_most_popular_items(self, model: Recommender) -> None:
        require(model.supports_new_users, "it knows the training users only")
        some = sp.csr_matrix(([1.0], ([1], [0])), shape=(3, ITEMS))
        with pytest.warns(EmptyHistoryWarning, match="2 of 3"):
            ids, scores = model.recommend(some, 6)
        popular = np.argsort(-model.item_counts_, kind="stable")[:6]
        np.testing.assert_array_equal(ids[[0, 2]], [popular, popular])
        np.testing.assert_array_equal(scores[0], model.item_counts_[popular])

    def test_unseen_users_are_served_from_their_history_alone(
        self, model: Recommender, histories: sp.csr_matrix
    ) -> None:
        require(model.supports_new_users, "it knows the training users only")
        assert_same_lists(model.recommend(histories[::-1]), recommend(model, histories[::-1]))
        unseen = sp.csr_matrix((np.ones(2), ([0, 0], [0, 3])), shape=(1, ITEMS))
        ids, _ = model.recommend(unseen, 5)
        assert not np.isin(ids, [0, 3]).any()

    def test_unseen_users_are_refused_by_a_model_of_trained_users(
        self, model: Recommender, histories: sp.csr_matrix
    ) -> None:
        require(not model.supports_new_users, "it recommends for new users")
        with pytest.raises(FoldInError, match="rows"):
            model.recommend(histories)
        with pytest.raises(FoldInError, match="rows"):
            model.score(histories)
        for rows in (np.array([0]), np.arange(USERS) + 1, np.arange(USERS) - 1):
            with pytest.raises(OptionError, match="rows must"):
                model.recommend(histories, rows=rows)
        stranger = pd.DataFrame({"user": ["nobody"], "item": ["item 1"]})
        with pytest.raises(FoldInError, match="nobody"):
            model.recommend_table(stranger)

    def test_trained_users_are_told_apart_by_their_rows(
        self, model: Recommender, histories: sp.csr_matrix
    ) -> None:
        require(not model.supports_new_users, "it recommends for new users")
        rows, whole = np.array([7, 3]), recommend(model, histories)
        assert_same_lists(
            model.recommend(histories[rows], rows=rows), (whole[0][rows], whole[1][rows])
        )

    # Raw ids

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
        with pytest.warns(UserWarning, match="1 of 2 items of deny are unknown .* item 99"):
            lists = model.recommend_table(table, ITEMS, deny=["item 99", "item 3"])
        assert "item 3" not in set(lists["item"])
        with pytest.raises(DataError, match="item ids are of type integer"):
            model.recommend_tables(table, allow=[98, 99])

    # Similar items

    def test_similar_items_share_a_colour_of_the_checker_board(self, board: Recommender) -> None:
        self._require_personal()
        ids, similarities = board.similar_items(np.arange(BOARD), 3)
        assert ids.shape == similarities.shape == (BOARD, 3)
        assert (str(ids.dtype), str(similarities.dtype)) == ("int64", "float32")
        assert (ids % 2 == np.arange(BOARD)[:, None] % 2).all()
        assert (ids != np.arange(BOARD)[:, None]).all()
        assert (np.diff(similarities, axis=1) <= 0).all()

    def test_similar_items_takes_one_column_and_refuses_others(self, model: Recommender) -> None:
        self._require_personal()
        ids, _ = model.similar_items(np.array(4), ITEMS)
        assert ids[0, -1] == -1
        found = ids[0][ids[0] >= 0]
        assert 4 not in found
        assert len(set(found)) == len(found) > 0
        for columns in ([-1], [ITEMS], [[1, 2], [3, 4]]):
            with pytest.raises(OptionError, match="columns"):
                model.similar_items(np.array(columns))
        with pytest.raises(OptionError, match="k="):
            model.similar_items(np.array([0]), ITEMS + 1)

    def test_similar_users_share_a_colour_of_the_checker_board(self, board: Recommender) -> None:
        squares = checker_board(BOARD)
        rows, cosines = board.similar_users(squares[:6], 5, among=squares)
        assert (rows % 2 == np.arange(6)[:, None] % 2).all()
        assert (np.diff(cosines) <= 0).all()
        np.testing.assert_allclose(cosines[:, 0], 1, atol=1e-5)

    def test_similar_users_are_of_the_kept_data(
        self, make: Make, data: Interactions, histories: sp.csr_matrix
    ) -> None:
        model = make().fit(data, keep_data=True)
        found = model.similar_users(histories[:3], 4)
        assert_same_lists(model.similar_users(histories[:3], 4, among=data.matrix), found)
        with pytest.raises(OptionError, match="keep_data=True"):
            make().fit(data).similar_users(histories)

    # What tools may ask

    def test_codes_are_there_or_refused(self, model: Recommender, histories: sp.csr_matrix) -> None:
        if reason := model.why_not(Ability.CODES):
            with pytest.raises(OptionError, match=reason):
                model.encode(histories)
            with pytest.raises(OptionError, match=reason):
                model.decode(np.zeros((1, 1), dtype=np.float32))
            return
        mean, logvar = model.encode(histories)
        assert mean.shape == logvar.shape == (USERS, mean.shape[1])
        scores = model.decode(mean)
        assert scores.shape == (USERS, ITEMS)
        if model.why_not(Ability.GENERATION) is None:
            assert model.why_not(Ability.LOG_PROBABILITIES) is None
            expected = model.score(histories)
            torch.testing.assert_close(scores, expected, rtol=1e-4, atol=1e-4)

    def test_vectors_give_the_scores_or_are_refused(
        self, model: Recommender, histories: sp.csr_matrix
    ) -> None:
        rows = np.arange(USERS)
        if reason := model.why_not(Ability.VECTORS):
            with pytest.raises(OptionError, match=re.escape(reason)):
                model.user_vectors(histories, rows)
            with pytest.raises(OptionError, match=re.escape(reason)):
                model.last_layer()
            return
        items, biases = model.last_layer()
        scores = model.user_vectors(histories, rows) @ items.T + biases
        seen = torch.from_numpy(histories.toarray() > 0)
        expected = model.score(histories, rows).masked_fill(seen, 0)
        torch.testing.assert_close(scores.masked_fill(seen, 0), expected, rtol=1e-4, atol=1e-4)

    def test_a_shortlist_changes_no_list(
        self, model: Recommender, histories: sp.csr_matrix, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        whole = recommend(model, histories, 5)
        for name, value in {"LEAST_USERS": 1, "GROUPS": 1}.items():
            monkeypatch.setattr(shortlist, name, value)
        monkeypatch.setattr("recvae.engine.devices.multiplies_int8", lambda _: True)
        assert_same_lists(recommend(model, histories, 5), whole)

    def test_forward_gives_the_scores_or_is_refused(
        self, model: Recommender, histories: sp.csr_matrix
    ) -> None:
        columns = [torch.from_numpy(row.indices.astype(np.int64)) for row in histories]
        lists = torch.nn.utils.rnn.pad_sequence(columns, batch_first=True, padding_value=-1)
        batch = Padded.of_items(lists, ITEMS)
        if reason := model.why_not(Ability.EXPORT):
            with pytest.raises(OptionError):
                model.require(Ability.EXPORT)
            assert "can't be exported" in reason or "trained on weights" in reason
            return
        with torch.no_grad():
            scores = model.forward(batch)
        expected = model.score(histories, np.arange(USERS))
        torch.testing.assert_close(scores, expected, rtol=1e-3, atol=1e-3)

    # Fitted or not, saved or not

    def test_what_needs_fitting_says_so(
        self, make: Make, histories: sp.csr_matrix, tmp_path: Path
    ) -> None:
        model = make()
        calls: list[Callable[[], object]] = [
            lambda: model.recommend(histories),
            lambda: model.recommend_table(pd.DataFrame({"user": [], "item": []})),
            lambda: model.similar_items(np.array([0])),
            lambda: model.save(tmp_path),
            lambda: model.n_parameters,
            lambda: model.items_,
        ]
        for call in calls:
            with pytest.raises(NotFittedError, match="fit"):
                call()

    def test_a_loaded_model_gives_identical_lists(
        self, model: Recommender, histories: sp.csr_matrix, tmp_path: Path
    ) -> None:
        model.save(tmp_path / "model")
        loaded = load_model(tmp_path / "model", device="cpu")
        elsewhere = {"device": None}
        assert options.values(loaded) | elsewhere == options.values(model) | elsewhere
        assert loaded.n_parameters == model.n_parameters
        np.testing.assert_array_equal(recommend(loaded, histories), recommend(model, histories))
        table = pd.DataFrame({"user": ["user 3"], "item": ["item 1"]})
        pd.testing.assert_frame_equal(loaded.recommend_table(table), model.recommend_table(table))

    def test_items_that_nobody_has_are_recommended_by_their_features(
        self, make: Make, data: Interactions, tmp_path: Path
    ) -> None:
        kinds = [f"kind {n % 3}" for n in range(ITEMS + 3)]
        names = [f"item {n}" for n in range(ITEMS + 3)]
        grown = data.with_items(pd.DataFrame({"item": names, "kind": kinds}))
        cold = np.arange(ITEMS, ITEMS + 3)
        model = make().fit(grown, item_features=["kind"], keep_data=True)
        ids, scores = recommend(model, grown.matrix, 1, allow=cold)
        if self.personal:
            tastes = (ids[:, 0] + np.arange(USERS)) % 3 == 0
            assert tastes.mean() > 0.8
        model.save(tmp_path)
        again = recommend(load_model(tmp_path, device="cpu"), grown.matrix, 1, allow=cold)
        assert_same_lists((ids, scores), again)
        table = model.recommend_table(pd.DataFrame({"user": ["user 1"], "item": ["item 1"]}), 27)
        assert set(table["item"][table["cold"]]) == set(grown.item_ids[cold])
        more = data.with_items(pd.DataFrame({"item": ["item 99"], "kind": [kinds[-1]]}))
        today = model.update(more).facts_.data
        assert today is not None
        scored = model.score_or_count(today.matrix, np.arange(USERS))
        torch.testing.assert_close(scored[:, -1], scored[:, ITEMS + 2])

    def test_a_model_of_a_bare_matrix_is_saved_too(
        self, board: Recommender, tmp_path: Path
    ) -> None:
        board.save(tmp_path)
        loaded, rows = load_model(tmp_path, device="cpu"), checker_board(BOARD)
        np.testing.assert_array_equal(recommend(loaded, rows)[0], recommend(board, rows)[0])

    # Updated

    def test_an_update_keeps_columns_and_takes_new_users_and_items(
        self, make: Make, data: Interactions, tmp_path: Path
    ) -> None:
        known = data.select_items(np.arange(ITEMS - 5)).select_users(np.arange(USERS - 10))
        model = make().fit(known, keep_data=True)
        new = data.select_users(np.arange(USERS - 1, 20, -1))
        new = new.select_items(np.flatnonzero(new.item_counts))
        assert model.update(new) is model
        assert list(model.item_ids_) == list(data.item_ids)
        assert model.n_users_ == USERS
        assert model.items_["title"].tolist() == data.items["title"].tolist()
        today = model.facts_.data
        assert today is not None
        lists, _ = recommend(model, today.matrix, ITEMS, exclude_seen=False)
        assert (np.sort(lists) == np.arange(ITEMS)).all()
        model.save(tmp_path)
        loaded = load_model(tmp_path, device="cpu")
        loaded.update(new)

    def test_removed_users_are_gone(self, make: Make, data: Interactions, tmp_path: Path) -> None:
        model = make().fit(data, keep_data=True)
        model.update(remove_users=["user 3", "user 40"])
        assert model.n_users_ == USERS - 2
        counts = data.select_users(np.delete(np.arange(USERS), [3, 40])).item_counts
        np.testing.assert_array_equal(model.item_counts_, counts)
        model.save(tmp_path)
        kept = load_model(tmp_path, device="cpu").facts_.data
        assert kept is not None
        assert not kept.user_ids.isin(["user 3", "user 40"]).any()

    def test_a_failed_update_changes_nothing(
        self, make: Make, model: Recommender, data: Interactions, histories: sp.csr_matrix
    ) -> None:
        with pytest.raises(OptionError, match="keep_data=True"):
            model.update(data)
        kept = make().fit(data, keep_data=True)
        before = recommend(kept, histories)
        with pytest.raises(DataError, match="there is no user nobody"):
            kept.update(data, remove_users=["nobody"])
        with pytest.raises(DataError, match="no interaction"):
            kept.update(remove_users=data.user_ids)
        assert_same_lists(recommend(kept, histories), before)

    def test_evaluation_is_deterministic(
        self, model: Recommender, histories: sp.csr_matrix
    ) -> None:
        rng = np.random.default_rng(1)
        held_out = histories.multiply(sp.csr_matrix(rng.random(histories.shape) < 0.3)).tocsr()
        holdout = Holdout(histories - held_out, held_out, rows=np.arange(USERS))
        one, other = (evaluate(model, holdout, ["ndcg@10"]) for _ in range(2))
        pd.testing.assert_frame_equal(one.per_user, other.per_user)

    def _require_personal(self) -> None:
        require(self.personal, "its lists are the same for all")


def require(condition: bool, reason: str) -> None:
    """Skip a test of what a model does not promise."""
    if not condition:
        pytest.skip(reason)


def recommend(model: Recommender, histories: sp.csr_matrix, k: int = 10, **arguments: Any) -> Lists:
    """Lists for the first training users, whether the model looks at the rows or not."""
    return model.recommend(histories, k, rows=np.arange(histories.shape[0]), **arguments)


def assert_same_lists(one: Lists, other: Lists) -> None:
    """Raise AssertionError unless the columns are equal, and the scores but for rounding."""
    np.testing.assert_array_equal(one[0], other[0])
    np.testing.assert_allclose(one[1], other[1], rtol=1e-4, atol=1e-5)


def checker_board(size: int) -> sp.csr_matrix:
    """Even users have the even items, odd users the odd ones, but for the diagonal."""
    board = np.add.outer(np.arange(size), np.arange(size)) % 2 == 0
    return sp.csr_matrix((board & ~np.eye(size, dtype=bool)).astype(np.float32))
