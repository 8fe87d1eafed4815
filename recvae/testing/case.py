"""A case: a model that is tested and small data, and what the tests of the contract share."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeAlias

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp

from recvae.data.interactions import Interactions
from recvae.models.contract.recommender import Recommender

USERS, ITEMS, BOARD = 60, 25, 20
COLOURS = np.eye(2)

Lists: TypeAlias = tuple[np.ndarray, np.ndarray]


@dataclass(frozen=True)
class Case:
    """A model that is tested, and the data that it learns; models are fitted when they are used.

    Attributes:
        make: makes a new model, which is not fitted.
        personal: whether lists depend on the history.
    """

    make: Callable[[], Recommender]
    personal: bool = True

    @cached_property
    def data(self) -> Interactions:
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

    @property
    def histories(self) -> sp.csr_matrix:
        """The training users' histories."""
        return self.data.matrix

    @cached_property
    def model(self) -> Recommender:
        """The model, fitted to the data."""
        return self.make().fit(self.data)

    @cached_property
    def keeping(self) -> Recommender:
        """The model, fitted to the data, which it keeps."""
        return self.make().fit(self.data, keep_data=True)

    @cached_property
    def board(self) -> Recommender:
        """The model, fitted to the checker board, with the colours of the users as features."""
        of_users = COLOURS[np.arange(BOARD) % 2] if self.make().supports_new_users else None
        return self.make().fit(checker_board(BOARD), user_features=of_users)

    def lists(self, k: int = 10, **arguments: Any) -> Lists:
        """The model's lists for the training users."""
        return recommend(self.model, self.histories, k, **arguments)


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
