"""The contract that every recommender keeps: fit, recommend, similar_items, save."""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import dataclass
from functools import partial
from os import PathLike
from typing import ClassVar, Literal, Self, TypeAlias

import numpy as np
import pandas as pd
import scipy.sparse as sp
import torch

from recvae import options
from recvae.data.interactions import Interactions, require_same_items
from recvae.data.reading import read_histories
from recvae.data.reading.sources import TableSource
from recvae.data.shards import Shards
from recvae.data.splits import Holdout
from recvae.engine import memory
from recvae.engine.trainer import OnEpoch
from recvae.errors import DataError, NotFittedError, OptionError
from recvae.models.contract.fitting import FitContext, check_processes, checked_data, checkpoints_in
from recvae.models.contract.lists import (
    checked_users,
    ranked_tables,
    scores_or_popularity,
    warn_if_unweighted,
)
from recvae.options.spaces import Space
from recvae.ranking.neighbors import cosine, nearest
from recvae.ranking.top_k import ItemSets, as_columns, top_k
from recvae.saved import storage
from recvae.saved.origin import Origin

ParallelAxis: TypeAlias = Literal["users", "items"]

DESCRIBED = ("items_", "item_counts_", "n_users_", "user_ids_", "fingerprint_", "origin_")
"""What every fitted model knows of its training."""


@dataclass(kw_only=True, eq=False)
class Recommender(ABC):
    """Fit on users x items, recommend for the histories of any users.

    A subclass is a dataclass whose fields are its hyper-parameters; it gives `_fit`, `score`,
    `_state` and `_restore`. Fitted attributes end in an underscore.

    Attributes:
        items_: DataFrame indexed by raw item id, a line per column of the training matrix.
        item_counts_: int64 [items], how many training users have each item.
        n_users_: how many users it was trained on.
        user_ids_: their raw ids, in row order, if the model knows no others; None if it does.
        fingerprint_: the training data's fingerprint.
        options_: the hyper-parameters that it was fitted with, which are what is saved.
        origin_: when and by which code it was fitted; None if it was saved without.
    """

    name: ClassVar[str]
    """What the command line calls it."""
    supports_new_users: ClassVar[bool] = True
    """Whether it can recommend for users that it was not trained on."""
    supports_shards: ClassVar[bool] = False
    """Whether it can learn from shards, of which a few are in memory at a time."""
    parallel_over: ClassVar[frozenset[ParallelAxis]] = frozenset()
    """What several processes that train it can share."""
    space: ClassVar[Space] = {}
    """The values of each hyper-parameter that tuning chooses from."""

    def fit(
        self,
        interactions: Interactions | Shards | sp.csr_matrix,
        validation: Holdout | None = None,
        on_epoch: OnEpoch | None = None,
        checkpoints: str | PathLike[str] | None = None,
    ) -> Self:
        """Learn from users x items; return self.

        Args:
            interactions: the training users, as Interactions, CSR [users, items], or Shards.
            validation: users to choose the best epoch by, for models trained in epochs.
            on_epoch: called with an epoch's number, from 1, and its validation value, by models
                that choose their best epoch; what it raises ends the fit.
            checkpoints: a folder that models trained in epochs keep their state in, so that the
                same call goes on from it, bit for bit, after any end.

        Raises:
            DataError: nothing to learn from, or validation items that are not the training items.
            OptionError: a hyper-parameter is out of its range, or the model needs all users in
                memory and was given shards, or there are processes that can't share its training.
            TrainingError: memory ran out, or the loss became NaN or infinite.
            CheckpointError: the checkpoints are damaged, in use, of another training, or can't be
                written.
        """
        options.check(self)
        self.options_ = options.values(self)
        check_processes(self)
        data = checked_data(self, interactions, validation)
        try:
            self._describe(data)
            context = FitContext(on_epoch, checkpoints_in(checkpoints, self, validation))
            with context.checkpoints or nullcontext(), memory.kept(), memory.one_clear_error():
                if isinstance(data, Shards):
                    self._fit_shards(data, validation, context)
                else:
                    self._fit(data.matrix, validation, context)
            self.origin_: Origin | None = Origin.now(getattr(self, "history_", None))
        except BaseException:
            del self.items_
            raise
        return self

    def _describe(self, data: Interactions | Shards) -> None:
        """Note what is known of the training data."""
        self.items_ = data.items
        self.item_counts_ = data.item_counts
        self.n_users_ = data.shape[0]
        self.user_ids_ = None if self.supports_new_users else data.user_ids
        self.fingerprint_ = data.fingerprint()

    def _describe_as(self, other: "Recommender") -> None:
        """Note the same of the training data as another model, as far as that knows it yet."""
        for name in DESCRIBED:
            if hasattr(other, name):
                setattr(self, name, getattr(other, name))
        self.options_ = options.values(self)

    @abstractmethod
    def _fit(self, train: sp.csr_matrix, validation: Holdout | None, context: FitContext) -> None:
        """Learn from CSR float32 [users, items]."""

    def _fit_shards(self, train: Shards, validation: Holdout | None, context: FitContext) -> None:
        """Learn from users on the disk, as a model does that `supports_shards`."""
        raise NotImplementedError

    @abstractmethod
    def score(self, histories: sp.csr_matrix, rows: np.ndarray | None = None) -> torch.Tensor:
        """Score every item for a block of users, higher is better, seen items included.

        Args:
            histories: CSR [users, items].
            rows: int [users], rows in the training matrix; only models that do not support new
                users look at them.

        Returns:
            float32 [users, items], fresh memory.
        """

    @abstractmethod
    def _state(self) -> dict[str, torch.Tensor]:
        """What was learnt, as named tensors."""

    @abstractmethod
    def _restore(self, state: dict[str, torch.Tensor]) -> None:
        """Take back what `_state` gave."""

    @property
    def n_parameters(self) -> int:
        """How many numbers were learnt."""
        self._require_fitted()
        return sum(tensor.numel() for tensor in self._state().values())

    @property
    def n_bytes(self) -> int:
        """How large they are, in memory and saved."""
        self._require_fitted()
        return sum(tensor.nbytes for tensor in self._state().values())

    def recommend(
        self,
        histories: sp.csr_matrix,
        k: int = 10,
        *,
        rows: np.ndarray | None = None,
        exclude_seen: bool = True,
        allow: ItemSets | None = None,
        deny: ItemSets | None = None,
    ) -> tuple[np.ndarray, np.ndarray]:
        """Recommend k items to each user.

        Args:
            histories: CSR [users, items] of what each user has interacted with. Users with an
                empty history get the most popular items, and a warning says so.
            k: length of the lists, from 1 to the number of items.
            rows: int [users], the users' rows in the training matrix; needed by the models that
                know only the users they were trained on, ignored by all others.
            exclude_seen: leave out the items of the history.
            allow: only these columns may be recommended: a list for all users, or one per user
                (a list of lists, or CSR).
            deny: these columns may not, given likewise.

        Returns:
            Columns int64 [users, k] and scores float32 [users, k], best first; where fewer than
            k items are left, -1 and -inf.

        Raises:
            NotFittedError: fit or load the model first.
            FoldInError: the model can't serve unseen users, and `rows` was not given.
            OptionError: k, allow or deny is out of range.
            DataError: the histories do not have the training items as columns.
        """
        histories, rows = checked_users(self, histories, rows)
        return top_k(
            partial(scores_or_popularity, self),
            histories,
            k,
            rows=rows,
            exclude_seen=exclude_seen,
            allow=allow,
            deny=deny,
        )

    def recommend_table(
        self,
        interactions: TableSource,
        k: int = 10,
        *,
        user: str = "user",
        item: str = "item",
        value: str | None = None,
        exclude_seen: bool = True,
    ) -> pd.DataFrame:
        """Recommend with raw ids: a table of histories in, a tidy table of lists out.

        Args:
            interactions: a line per interaction, with the columns named by `user` and `item`: a
                DataFrame, a mapping of arrays, or the path of a CSV, TSV or Parquet file.
            k: length of the lists.
            user: name of the column of raw user ids.
            item: name of the column of raw item ids; ids unknown to the model are skipped, and a
                warning counts them.
            value: name of the column of weights; None counts each line as one, and a model that
                reads weights warns of it.
            exclude_seen: leave out the items of the history.

        Returns:
            Columns `user`, `item`, `rank` (from 1), `score`, and `title` where titles are known.
        """
        tables = self.recommend_tables(
            interactions, k, user=user, item=item, value=value, exclude_seen=exclude_seen
        )
        return pd.concat(tables, ignore_index=True)

    def recommend_tables(
        self,
        interactions: TableSource,
        k: int = 10,
        *,
        user: str = "user",
        item: str = "item",
        value: str | None = None,
        exclude_seen: bool = True,
    ) -> Iterator[pd.DataFrame]:
        """Recommend as `recommend_table` does, in a stream: a table for each block of users.

        Only one block's lists exist at a time; `disk.writing.write_tables` takes them to a file.
        What is wrong with the arguments is raised at once.
        """
        self._require_fitted()
        histories, user_ids = read_histories(
            interactions, self.item_ids_, user=user, item=item, value=value
        )
        if value is None:
            warn_if_unweighted(self, histories)
        return ranked_tables(self, histories, user_ids, k, exclude_seen=exclude_seen)

    def similar_items(self, columns: np.ndarray, k: int = 10) -> tuple[np.ndarray, np.ndarray]:
        """Find the k items nearest to each of the given items.

        Args:
            columns: int [n], columns of the training matrix.
            k: length of the lists.

        Returns:
            Columns int64 [n, k] and similarities float32 [n, k], best first, the item itself
            left out; -1 and -inf where fewer than k are left.
        """
        self._require_fitted()
        n_items = len(self.items_)
        columns = as_columns(np.atleast_1d(columns), n_items, "columns")
        return nearest(self._similarity, columns, n_items, k)

    def _similarity(self, columns: np.ndarray) -> torch.Tensor:
        """Similarity float32 [n, items] of items to all items: the cosine of their vectors."""
        return cosine(self._item_vectors())(columns)

    def _item_vectors(self) -> torch.Tensor:
        """Vectors float32 [items, d] to compare items by."""
        raise OptionError(f"{type(self).__name__} has no notion of similar items.")

    def save(self, folder: str | PathLike[str]) -> None:
        """Save to a folder of safetensors, Parquet and JSON; `recvae.load_model` reads it back.

        Raises:
            NotFittedError: fit or load the model first.
            WriteError: the folder can't be written.
            DataError: the table of items has a column of several types.
        """
        self._require_fitted()
        storage.save(self, folder)

    @property
    def item_ids_(self) -> pd.Index:
        """Raw item ids, in column order."""
        return self.items_.index

    def _require_fitted(self) -> None:
        if not hasattr(self, "items_"):
            raise NotFittedError(
                f"this {type(self).__name__} is not fitted: call fit(...) or use load_model(...)."
            )

    def checked(self, histories: sp.csr_matrix) -> sp.csr_matrix:
        """Histories as `score` takes them: CSR float32, columns sorted; every weight finite.

        Raises:
            NotFittedError: fit or load the model first.
            DataError: they do not have the training items as columns.
        """
        self._require_fitted()
        data = Interactions.from_matrix(histories)
        if data.shape[1] != len(self.items_):
            raise DataError(
                f"histories have {data.shape[1]} columns, the model knows {len(self.items_)} "
                "items: they must be the training items, in the same order."
            )
        if isinstance(histories, Interactions):
            require_same_items(histories.item_ids, self.item_ids_)
        return data.matrix
