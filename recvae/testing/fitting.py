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
from recvae.data.interactions import Interactions
from recvae.data.splits import split_users
from recvae.errors import DataError, NotFittedError, OptionError
from recvae.models.building import load_model
from recvae.models.contract.recommender import Recommender
from recvae.models.registry import MODELS
from recvae.options.spaces import Categorical
from recvae.testing.fixtures import (
    ITEMS,
    USERS,
    Fixtures,
    Make,
    assert_same_lists,
    checker_board,
    recommend,
)


class FittingTests(Fixtures):
    """A fit depends on the data, the options and the seed alone."""

    def test_it_is_registered_by_its_name(self, make: Make) -> None:
        assert MODELS[make().name] is type(make())

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
        self, keeping: Recommender, model: Recommender, histories: sp.csr_matrix
    ) -> None:
        np.testing.assert_array_equal(recommend(model, histories), recommend(keeping, histories))

    def test_a_second_fit_forgets_the_first_and_leaves_the_options(
        self, make: Make, model: Recommender, data: Interactions
    ) -> None:
        again = make().fit(checker_board(10))
        assert options.values(again) == options.values(make())
        assert again.fit(data) is again
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

    def test_what_validation_chose_is_fitted_anew(self, make: Make, data: Interactions) -> None:
        split = split_users(data, n_validation=15, n_test=5)
        model = make().fit(split.train, split.validation)
        again = model.refit(data)
        assert type(again) is type(model)
        assert again.n_users_ == USERS
        assert (recommend(again, data.matrix)[0] >= 0).any()
        assert model.origin_ is not None
        best = model.origin_.best
        assert (again.history_ is None) == (model.history_ is None)
        if best is not None:
            assert model.reads_validation
            assert again.history_ is not None
            assert len(again.history_) == best.epoch

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
