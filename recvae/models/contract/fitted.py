"""Fitted: the attributes that every model has after it was fitted or loaded."""

from typing import Any

import numpy as np
import pandas as pd

from recvae.errors import NotFittedError
from recvae.models.contract.inputs import Input
from recvae.saved.facts import Facts
from recvae.saved.origin import Origin


class Fitted:
    """The part of a model that is the same for all models: what `fit` and `load_model` note.

    Attributes:
        input: how the model reads weights; an option of models that can use them as they are.
        history_: DataFrame, a line an epoch; None for a model that is not trained in epochs.
        interrupted_: whether Ctrl-C ended the training early.
    """

    input: Input = "binary"
    history_: pd.DataFrame | None = None
    interrupted_: bool = False
    _facts: Facts | None = None

    @property
    def facts_(self) -> Facts:
        """The facts about the training: items, counts, options, origin.

        Raises:
            NotFittedError: fit or load the model first.
        """
        self.require_fitted()
        assert self._facts is not None
        return self._facts

    def require_fitted(self) -> None:
        """Raise NotFittedError if the model was neither fitted nor loaded."""
        if self._facts is None:
            raise NotFittedError(
                f"this {type(self).__name__} is not fitted: call fit(...) or use load_model(...)."
            )

    @property
    def items_(self) -> pd.DataFrame:
        """DataFrame indexed by raw item id, a line per column of the training matrix."""
        return self.facts_.items

    @property
    def item_ids_(self) -> pd.Index:
        """Raw item ids, in column order."""
        return self.facts_.items.index

    @property
    def item_counts_(self) -> np.ndarray:
        """int64 [items], how many training users have each item."""
        return self.facts_.item_counts

    @property
    def n_users_(self) -> int:
        """Number of training users."""
        return self.facts_.n_users

    @property
    def user_ids_(self) -> pd.Index | None:
        """Raw ids of the training users, in row order; None for a model that serves new users."""
        return self.facts_.user_ids

    @property
    def fingerprint_(self) -> str:
        """The training data's fingerprint."""
        return self.facts_.fingerprint

    @property
    def options_(self) -> dict[str, Any]:
        """The hyper-parameters that the model was fitted with; these are saved with it."""
        return self.facts_.options

    @property
    def origin_(self) -> Origin | None:
        """When and by which code the model was fitted; None during the fit."""
        return self.facts_.origin
