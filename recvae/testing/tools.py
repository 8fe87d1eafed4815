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
from recvae.ranking import shortlist
from recvae.testing.case import BOARD, ITEMS, USERS, Case, assert_same_lists, checker_board, require


class ToolTests:
    """What the class declares is there, anything else is refused with the reason."""

    def test_similar_items_share_a_colour_of_the_checker_board(self, case: Case) -> None:
        require(case.personal, "its lists are the same for all")
        ids, similarities = case.board.similar_items(np.arange(BOARD), 3)
        assert ids.shape == similarities.shape == (BOARD, 3)
        assert (str(ids.dtype), str(similarities.dtype)) == ("int64", "float32")
        assert (ids % 2 == np.arange(BOARD)[:, None] % 2).all()
        assert (ids != np.arange(BOARD)[:, None]).all()
        assert (np.diff(similarities, axis=1) <= 0).all()

    def test_similar_items_takes_one_column_and_refuses_others(self, case: Case) -> None:
        require(case.personal, "its lists are the same for all")
        ids, _ = case.model.similar_items(np.array(4), ITEMS)
        assert ids[0, -1] == -1
        found = ids[0][ids[0] >= 0]
        assert 4 not in found
        assert len(set(found)) == len(found) > 0
        for columns in ([-1], [ITEMS], [[1, 2], [3, 4]]):
            with pytest.raises(OptionError, match="columns"):
                case.model.similar_items(np.array(columns))
        with pytest.raises(OptionError, match="k="):
            case.model.similar_items(np.array([0]), ITEMS + 1)

    def test_similar_users_share_a_colour_of_the_checker_board(self, case: Case) -> None:
        squares = checker_board(BOARD)
        rows, cosines = case.board.similar_users(squares[:6], 5, among=squares)
        assert (rows % 2 == np.arange(6)[:, None] % 2).all()
        assert (np.diff(cosines) <= 0).all()
        np.testing.assert_allclose(cosines[:, 0], 1, atol=1e-5)

    def test_similar_users_are_of_the_kept_data(self, case: Case) -> None:
        found = case.keeping.similar_users(case.histories[:3], 4)
        assert_same_lists(
            case.keeping.similar_users(case.histories[:3], 4, among=case.histories), found
        )
        with pytest.raises(OptionError, match="keep_data=True"):
            case.model.similar_users(case.histories)

    def test_codes_are_there_or_refused(self, case: Case) -> None:
        if reason := case.model.why_not(Ability.CODES):
            with pytest.raises(OptionError, match=reason):
                case.model.encode(case.histories)
            with pytest.raises(OptionError, match=reason):
                case.model.decode(np.zeros((1, 1), dtype=np.float32))
            return
        mean, logvar = case.model.encode(case.histories)
        assert mean.shape == logvar.shape == (USERS, mean.shape[1])
        scores = case.model.decode(mean)
        assert scores.shape == (USERS, ITEMS)
        if case.model.why_not(Ability.GENERATION) is None:
            assert case.model.why_not(Ability.LOG_PROBABILITIES) is None
            expected = case.model.score(case.histories)
            torch.testing.assert_close(scores, expected, rtol=1e-4, atol=1e-4)

    def test_vectors_give_the_scores_or_are_refused(self, case: Case) -> None:
        rows = np.arange(USERS)
        if reason := case.model.why_not(Ability.VECTORS):
            with pytest.raises(OptionError, match=re.escape(reason)):
                case.model.user_vectors(case.histories, rows)
            with pytest.raises(OptionError, match=re.escape(reason)):
                case.model.last_layer()
            return
        items, biases = case.model.last_layer()
        scores = case.model.user_vectors(case.histories, rows) @ items.T + biases
        seen = torch.from_numpy(case.histories.toarray() > 0)
        expected = case.model.score(case.histories, rows).masked_fill(seen, 0)
        torch.testing.assert_close(scores.masked_fill(seen, 0), expected, rtol=1e-4, atol=1e-4)

    def test_sparse_scores_are_the_scores_or_are_refused(self, case: Case) -> None:
        if reason := case.model.why_not(Ability.SPARSE_SCORES):
            with pytest.raises(OptionError, match=re.escape(reason)):
                case.model.sparse_scores(case.histories)
            return
        scores = torch.from_numpy(case.model.sparse_scores(case.histories).toarray())
        torch.testing.assert_close(scores, case.model.score(case.histories))

    def test_a_shortlist_changes_no_list(self, case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
        whole = case.lists(5)
        for name, value in {"LEAST_USERS": 1, "GROUPS": 1}.items():
            monkeypatch.setattr(shortlist, name, value)
        monkeypatch.setattr("recvae.engine.devices.multiplies_int8", lambda _: True)
        assert_same_lists(case.lists(5), whole)

    def test_forward_gives_the_scores_or_is_refused(self, case: Case) -> None:
        columns = [torch.from_numpy(row.indices.astype(np.int64)) for row in case.histories]
        lists = torch.nn.utils.rnn.pad_sequence(columns, batch_first=True, padding_value=-1)
        batch = Padded.of_items(lists, ITEMS)
        if reason := case.model.why_not(Ability.EXPORT):
            with pytest.raises(OptionError):
                case.model.require(Ability.EXPORT)
            assert "can't be exported" in reason or "trained on weights" in reason
            return
        with torch.no_grad():
            scores = case.model.forward(batch)
        expected = case.model.score(case.histories, np.arange(USERS))
        torch.testing.assert_close(scores, expected, rtol=1e-3, atol=1e-3)

    def test_evaluation_is_deterministic(self, case: Case) -> None:
        rng = np.random.default_rng(1)
        held_out = case.histories.multiply(
            sp.csr_matrix(rng.random(case.histories.shape) < 0.3)
        ).tocsr()
        holdout = Holdout(case.histories - held_out, held_out, rows=np.arange(USERS))
        one, other = (evaluate(case.model, holdout, ["ndcg@10"]) for _ in range(2))
        pd.testing.assert_frame_equal(one.per_user, other.per_user)
