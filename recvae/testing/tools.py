"""Tests of what tools ask of a model: similar items and users, codes, a graph, an evaluation."""

import re

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
import torch

from recvae.data.splits import Holdout
from recvae.errors import OptionError
from recvae.evaluation.evaluate import evaluate
from recvae.exporting.padded import Padded
from recvae.models.contract.abilities import Ability
from recvae.models.contract.recommender import Recommender
from recvae.ranking import shortlist
from recvae.testing.fixtures import (
    BOARD,
    ITEMS,
    USERS,
    Fixtures,
    assert_same_lists,
    checker_board,
    recommend,
)


class ToolTests(Fixtures):
    """What the class declares is there, anything else is refused with the reason."""

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
        self, keeping: Recommender, model: Recommender, histories: sp.csr_matrix
    ) -> None:
        found = keeping.similar_users(histories[:3], 4)
        assert_same_lists(keeping.similar_users(histories[:3], 4, among=histories), found)
        with pytest.raises(OptionError, match="keep_data=True"):
            model.similar_users(histories)

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

    def test_sparse_scores_are_the_scores_or_are_refused(
        self, model: Recommender, histories: sp.csr_matrix
    ) -> None:
        if reason := model.why_not(Ability.SPARSE_SCORES):
            with pytest.raises(OptionError, match=re.escape(reason)):
                model.sparse_scores(histories)
            return
        scores = torch.from_numpy(model.sparse_scores(histories).toarray())
        torch.testing.assert_close(scores, model.score(histories))

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

    def test_evaluation_is_deterministic(
        self, model: Recommender, histories: sp.csr_matrix
    ) -> None:
        rng = np.random.default_rng(1)
        held_out = histories.multiply(sp.csr_matrix(rng.random(histories.shape) < 0.3)).tocsr()
        holdout = Holdout(histories - held_out, held_out, rows=np.arange(USERS))
        one, other = (evaluate(model, holdout, ["ndcg@10"]) for _ in range(2))
        pd.testing.assert_frame_equal(one.per_user, other.per_user)
