"""Tests of a fit: what it takes, what it refuses, what it gives, whatever came before."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
import torch

from recvae import options
from recvae.data.splits import split_users
from recvae.errors import DataError, NotFittedError, OptionError
from recvae.models.building import load_model
from recvae.models.registry import MODELS
from recvae.options.spaces import Categorical
from recvae.testing.case import ITEMS, USERS, Case, assert_same_lists, checker_board, recommend


class FittingTests:
    """A fit depends on the data, the options and the seed alone."""

    def test_it_is_registered_by_its_name(self, case: Case) -> None:
        assert MODELS[case.make().name] is type(case.make())

    def test_scikit_learn_clones_it_without_what_it_learnt(self, case: Case) -> None:
        copy = pytest.importorskip("sklearn.base").clone(case.model)
        assert copy.get_params().keys() == case.model.get_params().keys()
        assert options.values(copy) == options.values(case.model)
        with pytest.raises(NotFittedError):
            copy.facts_  # noqa: B018

    def test_fit_takes_a_sparse_matrix_too(self, case: Case) -> None:
        other = case.make().fit(sp.coo_matrix(case.histories))  # type: ignore[arg-type]
        assert_same_lists(case.lists(), recommend(other, case.histories))
        assert list(other.item_ids_) == list(range(ITEMS))

    def test_fit_counts_what_it_saw(self, case: Case) -> None:
        np.testing.assert_array_equal(case.model.item_counts_, (case.histories > 0).sum(axis=0).A1)
        assert case.model.n_users_ == USERS
        assert case.model.fingerprint_ == case.data.fingerprint()

    def test_the_same_seed_gives_the_same_lists(self, case: Case) -> None:
        np.testing.assert_array_equal(case.lists(), recommend(case.keeping, case.histories))

    def test_a_second_fit_forgets_the_first_and_leaves_the_options(self, case: Case) -> None:
        again = case.make().fit(checker_board(10))
        assert options.values(again) == options.values(case.make())
        assert again.fit(case.data) is again
        assert_same_lists(recommend(again, case.histories), case.lists())

    def test_what_its_caller_has_set_in_torch_and_numpy_changes_nothing(
        self, case: Case, tmp_path: Path
    ) -> None:
        fixed = sp.csr_matrix(case.histories, copy=True)
        for part in (fixed.data, fixed.indices, fixed.indptr):
            part.setflags(write=False)  # as Ray and joblib share it
        torch.set_default_dtype(torch.float64)
        try:
            with torch.inference_mode():
                case.make().fit(replace(case.data, matrix=fixed)).save(tmp_path)
                loaded = load_model(tmp_path)
                lists = recommend(loaded, fixed)
        finally:
            torch.set_default_dtype(torch.float32)
        assert_same_lists(lists, case.lists())
        assert {name: part.dtype for name, part in loaded.state().items()} == {
            name: part.dtype for name, part in case.model.state().items()
        }

    def test_inputs_are_not_modified(self, case: Case) -> None:
        matrix = checker_board(10) * 3
        allow = sp.csr_matrix(([1, 0, 1], ([0, 0, 4], [3, 1, 2])), shape=(10, 10))
        copies = matrix.copy(), allow.copy()
        recommend(case.make().fit(matrix), matrix, 5, allow=allow, deny=allow)
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
    def test_nothing_is_learnt_from_bad_data(self, case: Case, matrix: Any, message: str) -> None:
        with pytest.raises(DataError, match=message):
            case.make().fit(matrix)

    def test_options_out_of_their_range_are_refused_by_fit(self, case: Case) -> None:
        numbers = {
            option: value
            for option, value in options.values(case.make()).items()
            if isinstance(value, int | float) and option != "seed"
        }
        if not numbers:
            pytest.skip("it has no option that is a number")
        for option, value in numbers.items():
            for wrong in (-1, str(value), float("nan")):
                model = case.make()
                setattr(model, option, wrong)
                with pytest.raises(OptionError, match=option):
                    model.fit(case.data)

    def test_on_epoch_hears_what_the_history_says(self, case: Case) -> None:
        split = split_users(case.data, n_validation=15, n_test=5)
        heard: list[tuple[int, float]] = []
        model = case.make().fit(split.train, split.validation, lambda *epoch: heard.append(epoch))
        history = pd.DataFrame(model.history_, columns=["epoch", "ndcg@100"])
        assert heard == list(zip(history["epoch"], history["ndcg@100"], strict=True))

    def test_what_validation_chose_is_fitted_anew(self, case: Case) -> None:
        split = split_users(case.data, n_validation=15, n_test=5)
        model = case.make().fit(split.train, split.validation)
        again = model.refit(case.data)
        assert type(again) is type(model)
        assert again.n_users_ == USERS
        assert (recommend(again, case.histories)[0] >= 0).any()
        assert model.origin_ is not None
        best = model.origin_.best
        assert (again.history_ is None) == (model.history_ is None)
        if best is not None:
            assert model.reads_validation
            assert again.history_ is not None
            assert len(again.history_) == best.epoch

    def test_the_search_space_holds_the_defaults_and_its_ends_are_possible(
        self, case: Case
    ) -> None:
        cls = type(case.make())
        if not cls.space:
            pytest.skip("it has nothing to tune")
        for option, kind in cls.space.items():
            assert getattr(cls(), option) in kind
            for value in kind.among if isinstance(kind, Categorical) else (kind.low, kind.high):
                options.check(cls(**{option: value}))
