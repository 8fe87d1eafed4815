"""Holdout: users whose history is shown in part; the model must rank the rest of it high."""

from dataclasses import dataclass, replace
from typing import Self

import numpy as np
import pandas as pd
import scipy.sparse as sp

from recvae.data.interactions import Interactions
from recvae.data.matrices import as_csr
from recvae.errors import DataError

NO_DISLIKES = (
    "nothing is known of what these users dislike: read ratings with min_weight=..., and split "
    "them by users or by interactions, since it is not kept when something was disliked."
)


@dataclass(frozen=True, eq=False)
class Holdout:
    """Users to evaluate on: the model sees one part of each history and has to find the other.

    Attributes:
        fold_in: CSR [users, items], the part of each history that the model is shown.
        held_out: CSR [users, items], the part that it should rank high.
        rows: int [users], the users' rows in the training matrix if they were trained on;
            None for unseen users (strong generalization).
        user_ids: raw ids of the users, if known.
        item_ids: raw ids of the items, if known.
        order: CSR [users, items], `fold_in` for models that read the order: weights that grow from
            the earlier to the later. None takes those of `fold_in` for it.
        exclude_seen: whether models rank only items that are not in `fold_in`; False where people
            have things again (plays, groceries), so that an item may be on both sides.
        n_dropped: how many users were dropped because no item of theirs could be held out.
        disliked: CSR [users, items], what else the users are known to have met, and did not
            like; None if nothing is known of it.
        without_disliked: whether lists are made without these items; in the protocols of papers
            they are not, and such an item is a miss.

    Raises:
        DataError: the shapes differ, or an item is on both sides that models may not rank.
    """

    fold_in: sp.csr_matrix
    held_out: sp.csr_matrix
    rows: np.ndarray | None = None
    user_ids: pd.Index | None = None
    n_dropped: int = 0
    item_ids: pd.Index | None = None
    order: sp.csr_matrix | None = None
    disliked: sp.csr_matrix | None = None
    without_disliked: bool = False
    exclude_seen: bool = True

    def __post_init__(self) -> None:
        object.__setattr__(self, "fold_in", as_csr(self.fold_in))
        self._set_like_fold_in("held_out", self.held_out)
        if self.disliked is not None:
            self._set_like_fold_in("disliked", self.disliked)
        elif self.without_disliked:
            raise DataError(NO_DISLIKES)
        if self.exclude_seen and (overlap := self.fold_in.multiply(self.held_out).nnz) > 0:
            raise DataError(
                f"{overlap} entries are in fold_in and in held_out: a seen item is never "
                "recommended, so it can't be held out. If people have things again, pass "
                "exclude_seen=False."
            )
        if self.rows is not None:
            object.__setattr__(self, "rows", np.asarray(self.rows, dtype=np.int64))
            self._require_users(len(self.rows), "rows")
        if self.user_ids is not None:
            object.__setattr__(self, "user_ids", pd.Index(self.user_ids))
            self._require_users(len(self.user_ids), "user_ids")

    @staticmethod
    def require(given: object) -> None:
        """Raise DataError unless the value is a Holdout."""
        if not isinstance(given, Holdout):
            raise DataError(
                f"expected a Holdout, such as split.validation or split.test, got "
                f"{type(given).__name__}."
            )

    def fingerprints(self) -> list[str]:
        """The fingerprints of what is shown, `fold_in` and its order, and of `held_out`.

        If dislikes are left out, theirs is the next; the last says if what was shown is ranked.
        """
        visible = [part for part in (self.fold_in, self.order) if part is not None]
        left_out = self.disliked if self.without_disliked else None
        parts = [*visible, self.held_out, *([] if left_out is None else [left_out])]
        prints = [Interactions.from_matrix(part).fingerprint() for part in parts]
        again = [] if self.exclude_seen else ["again"]
        return ["-".join(prints[: len(visible)]), *prints[len(visible) :], *again]

    def _set_like_fold_in(self, name: str, given: sp.csr_matrix) -> None:
        object.__setattr__(self, name, as_csr(given))
        if given.shape != self.fold_in.shape:
            raise DataError(
                f"fold_in is {self.fold_in.shape}, {name} is {given.shape}: both must be [users, "
                "items] of the same users and items."
            )

    def _require_users(self, given: int, name: str) -> None:
        if given != self.fold_in.shape[0]:
            raise DataError(f"{name} names {given} users, fold_in has {self.fold_in.shape[0]}.")


@dataclass(frozen=True, eq=False)
class Split:
    """Training data, validation users to choose a model by, and test users to judge it by.

    Attributes:
        train: what a model is fitted on to be judged by `validation`.
        validation: the users to choose its options and its epoch by.
        test: the users to judge it by, once.
        final: what the chosen model is fitted on anew before it is judged by `test`; None if the
            model that was fitted on `train` is judged.
    """

    train: Interactions
    validation: Holdout
    test: Holdout
    final: Interactions | None = None

    def without_disliked(self) -> Self:
        """The same split, in which lists are made without what users are known to dislike.

        Raises:
            DataError: nothing is known of what they dislike.
        """
        validation, test = (
            replace(part, without_disliked=True) for part in (self.validation, self.test)
        )
        return replace(self, validation=validation, test=test)
