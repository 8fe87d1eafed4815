"""Recommender: the base class of all models, with fit, recommend, similar_items and save."""

from collections.abc import Collection, Hashable, Iterator, Sequence
from contextlib import nullcontext
from copy import copy
from dataclasses import dataclass, replace
from os import PathLike
from time import perf_counter
from typing import Any, Self

import numpy as np
import pandas as pd
import scipy.sparse as sp
import torch
from torch import nn

import recvae
from recvae import options
from recvae.data.features import FeatureSource, column_names, encode_features
from recvae.data.ids import require_ids, require_same_items
from recvae.data.interactions import Interactions, require_timestamps
from recvae.data.reading import read_histories
from recvae.data.reading.sources import TableSource, like
from recvae.data.shards import Shards
from recvae.data.splits import Holdout
from recvae.engine import devices, memory, threads
from recvae.engine.trainer import OnEpoch
from recvae.errors import DataError, FoldInError, OptionError
from recvae.models.contract import lists
from recvae.models.contract.abilities import Ability
from recvae.models.contract.changes import changed
from recvae.models.contract.cold_items import USERS, ColdItems
from recvae.models.contract.fitting import (
    FitContext,
    checked_data,
    checkpoints_in,
    require_parallel,
)
from recvae.models.contract.inputs import as_input
from recvae.models.contract.model import Model
from recvae.ranking.neighbors import nearest, nearest_rows
from recvae.ranking.rerank import ItemTable, Reranker, Step
from recvae.ranking.shortlist import Products
from recvae.ranking.top_k import ItemSets, as_columns, require_length, top_k
from recvae.saved import storage
from recvae.saved.facts import Facts
from recvae.saved.origin import Origin
from recvae.saved.storage import Saved


@dataclass(kw_only=True, eq=False)
class Recommender(Model):
    """A model that is fitted on users x items and recommends items for the histories of users.

    A subclass is a dataclass whose fields are its hyper-parameters. It defines `learn`, `score`,
    `state` and `restore`. The names of fitted attributes end in an underscore.
    """

    @devices.usual()
    def fit(
        self,
        interactions: Interactions | Shards | sp.csr_matrix,
        validation: Holdout | None = None,
        on_epoch: OnEpoch | None = None,
        checkpoints: str | PathLike[str] | None = None,
        *,
        minutes: float | None = None,
        shared: dict[Hashable, nn.Module] | None = None,
        keep_data: bool = False,
        item_features: FeatureSource | None = None,
    ) -> Self:
        """Learn from users x items; return self.

        Args:
            interactions: the training users, as Interactions, CSR [users, items], or Shards.
            validation: users to choose the best epoch by, for models trained in epochs.
            on_epoch: called by models that choose their best epoch, with the epoch's number, from
                1, and its validation value; an exception from it ends the fit.
            checkpoints: a folder where models trained in epochs keep their state. After any end,
                the same call goes on from it, bit for bit.
            minutes: about how long the fit may take: training in epochs ends then, with the best
                epoch so far, and an ensemble is made of what there is; a closed form that has begun
                is finished. None sets no limit.
            shared: modules that several models can use, such as the linear path of ResidualVAEs.
                Give the same dict to all of them, fitted on the same data: the first model fills
                it.
            keep_data: keep the users' ids and rows with the model, in memory and saved, so that it
                can be updated.
            item_features: what tells items apart that nobody has, so that they are recommended
                too: names of columns of the items' table, or vectors [items, features]. The scores
                of the other items stay as they are. See docs/cold-items.md.

        Raises:
            DataError: there is nothing to learn from, or validation has other items.
            OptionError: a hyper-parameter is out of its range, or the model needs all users in
                memory and was given shards, or these are to be kept, or it can't be trained by
                several processes.
            TrainingError: memory ran out, or the loss became NaN or infinite.
            CheckpointError: the checkpoints are damaged, in use, of another training, or can't be
                written.
        """
        options.check(self)
        require_parallel(type(self).__name__, self.parallel_over)
        if isinstance(interactions, Shards) and not self.supports_shards:
            raise OptionError(
                f"{type(self).__name__} needs all users in memory and can't learn from shards: use "
                "one that can, such as MultVAE, or read the table."
            )
        if isinstance(interactions, Shards) and keep_data:
            raise OptionError("shards stay on the disk: leave out keep_data, or read the table.")
        if self.reads_order and isinstance(interactions, Interactions):
            require_timestamps(interactions)
        if self.reads_order and self.reads_weights:
            raise OptionError("a model reads weights or the order: leave out input or half_life.")
        data = checked_data(self._in_order(interactions), validation)
        if keep_data or not self.supports_new_users:
            require_ids(data.user_ids, "user")
        features = None if item_features is None else _features(data, item_features)
        given = options.values(self)
        self._facts = Facts.of(
            data, given, keep_users=not self.supports_new_users, keep_data=keep_data
        )
        self.history_, self.interrupted_, self.cold_items_ = None, False, None
        about = {"recvae": recvae.__version__, "model": self.name, "data": self.fingerprint_}
        try:
            kept = checkpoints_in(checkpoints, about | given, validation)
            deadline = None if minutes is None else perf_counter() + 60 * minutes
            context = FitContext(on_epoch, kept, {} if shared is None else shared, deadline)
            with (
                context.checkpoints or nullcontext(),
                memory.kept(),
                threads.considerate(),
                memory.one_clear_error(),
            ):
                if isinstance(data, Shards):
                    self.learn_shards(data, validation, context)
                else:
                    self.learn(data.matrix, validation, context)
            if features is not None:
                self.cold_items_ = self._learn_cold(features, data, validation)
            origin, names = Origin.now(self.history_), column_names(item_features)
            self._facts = replace(self._facts, origin=origin, item_features=names)
        except BaseException:
            self._facts = None
            raise
        return self

    @devices.usual()
    def update(
        self,
        new: Interactions | sp.csr_matrix | None = None,
        *,
        remove_users: Collection[Any] = (),
        item_features: FeatureSource | None = None,
    ) -> Self:
        """Learn what is new since the last fit or update; return self.

        The items of the model keep their columns, new ones come after them. If the update fails or
        is interrupted, the model stays as it was. What each model promises is in docs/updates.md.

        Args:
            new: new interactions, of known or new users and items. The weight of a known pair is
                replaced, so that the same update can be made twice; what is `disliked` is no like
                any more. Users who like nothing then are gone.
            remove_users: raw ids of users to forget.
            item_features: for a model that was fitted with them: names of columns, where they are
                others than in the fit, or vectors of the items of `new`, a line each.

        Raises:
            NotFittedError: fit or load the model first.
            OptionError: it was not fitted with `keep_data=True`, `item_features` are given but the
                fit had none, or new items lack them.
            DataError: no user is left, a user to remove is unknown, or ids are of another type.
            TrainingError: see `fit`.
        """
        if self.cold_items_ is None and item_features is not None:
            raise OptionError("the fit had no item_features: leave them out, or fit it anew.")
        known = self.facts_.data
        if self.reads_order and known is not None and isinstance(new, Interactions):
            new = new.in_order(after=int(known.matrix.data.max()))
        more = None if new is None else Interactions.from_matrix(new)
        data, change = changed(known, more, remove_users)
        if more is not None and self.reads_weights:
            lists.warn_if_unweighted(type(self).__name__, more.matrix)
        options.check(self)
        updated, given = copy(self), options.values(self)
        keep_users = not self.supports_new_users
        facts = Facts.of(checked_data(data, None), given, keep_users=keep_users, keep_data=True)
        updated._facts, updated.interrupted_ = facts, False
        source = self.facts_.item_features if item_features is None else item_features
        if self.cold_items_ is not None:
            ids = data.item_ids[:0] if more is None else more.item_ids
            updated.cold_items_ = self.cold_items_.of_today(data, ids, source)
        with memory.kept(), threads.considerate(), memory.one_clear_error():
            updated.relearn(change, FitContext())
        if updated.interrupted_:
            raise KeyboardInterrupt
        origin = Origin.now(updated.history_)
        updated._facts = replace(
            facts,
            origin=origin,
            min_weight=self.min_weight_,
            item_features=column_names(source),
        )
        vars(self).update(vars(updated))
        return self

    def take(self, saved: Saved) -> Self:
        """Take the facts, history and parameters of a saved model; return self.

        Raises:
            ValueError, KeyError, RuntimeError: the saved values are not those of such a model.
        """
        facts = saved.facts
        if self.supports_new_users:
            facts = replace(facts, user_ids=None)
        elif facts.user_ids is None:
            raise ValueError("its users are missing")
        self._facts = replace(facts, options=options.values(self))
        self.history_, self.interrupted_ = saved.history, False
        state = dict(saved.state)
        self.cold_items_ = ColdItems.restore(state, facts.item_counts)
        self.restore(dict(state))
        if _layout(self.state()) != _layout(state):
            raise ValueError("the tensors are not those of such a model")
        return self

    def belong_to(self, whole: Facts) -> None:
        """Take over the facts about the training data from the model that this is a member of."""
        own = None if self._facts is None else self._facts.origin
        self._facts = replace(whole, options=options.values(self), origin=whole.origin or own)

    @property
    def n_parameters(self) -> int:
        """Number of learnt parameters."""
        self.require_fitted()
        return sum(tensor.numel() for tensor in self.state().values())

    @property
    def n_bytes(self) -> int:
        """Size of the learnt parameters in bytes, in memory and saved."""
        self.require_fitted()
        return sum(tensor.nbytes for tensor in self.state().values())

    def recommend(
        self,
        histories: sp.csr_matrix,
        k: int = 10,
        *,
        rows: np.ndarray | None = None,
        exclude_seen: bool = True,
        allow: ItemSets | None = None,
        deny: ItemSets | None = None,
        rerank: Sequence[Step] = (),
    ) -> tuple[np.ndarray, np.ndarray]:
        """Recommend k items to each user.

        Args:
            histories: CSR [users, items] of what each user has interacted with. Users with an
                empty history get the most popular items, and a warning says so.
            k: length of the lists, from 1 to the number of items.
            rows: int [users], the users' rows in the training matrix; needed by models that can
                serve only their training users, ignored by all others.
            exclude_seen: do not recommend the items of the history.
            allow: only these columns may be recommended: a list for all users, or one per user
                (a list of lists, or CSR).
            deny: these columns may not be recommended, in the same forms as `allow`; what each user
                dislikes, `Interactions.disliked`, is one of them.
            rerank: steps that make the lists of the model's best items, all at once, such as
                `[Diversity(0.3), Cap(3)]` of `recvae.ranking.rerank`.

        Returns:
            Columns int64 [users, k] and scores float32 [users, k], best first, or in the order
            that `rerank` makes; where fewer than k items can be recommended, -1 and -inf.

        Raises:
            NotFittedError: fit or load the model first.
            FoldInError: the model can't serve unseen users, and `rows` was not given.
            OptionError: k, allow or deny is out of range, or the table of items lacks a column
                that `rerank` needs.
            DataError: the histories do not have the training items as columns.
        """
        histories, rows = self.checked_users(histories, rows)
        return top_k(
            self.score_or_count,
            histories,
            k,
            rows=rows,
            exclude_seen=exclude_seen,
            allow=allow,
            deny=deny,
            rerank=self.reranker(rerank),
            products=self.products,
        )

    def recommend_table(
        self,
        interactions: TableSource,
        k: int = 10,
        *,
        user: str = "user",
        item: str = "item",
        value: str | None = None,
        timestamp: str | None = None,
        exclude_seen: bool = True,
        allow: Any = None,
        deny: Any = None,
        rerank: Sequence[Step] = (),
    ) -> pd.DataFrame | Any:
        """Recommend with raw ids: a table of histories in, a tidy table of lists out.

        Args:
            interactions: a line per interaction, with the columns named by `user` and `item`: a
                dataframe, a mapping of arrays, or the path of a CSV, TSV or Parquet file.
            k: length of the lists.
            user: name of the column of raw user ids.
            item: name of the column of raw item ids; ids unknown to the model are skipped, and a
                warning counts them.
            value: name of the column of weights. Where the model was trained on those of a least
                weight, such as ratings of 4 and more (`min_weight_`), lighter lines are dislikes:
                no part of the history, and never in the list. None counts each line as one, and a
                model that reads weights warns of it.
            timestamp: name of the column of times, for models that read the order of a history.
                Without it they take all of a history for equally recent, and warn of it.
            exclude_seen: do not recommend the items of the history.
            allow: raw ids, such as what is in stock: only these items may be recommended. A
                warning counts those that the model does not know, here and in `deny`.
            deny: raw ids of items that may not be recommended.
            rerank: see `recommend`.

        Returns:
            Columns `user`, `item`, `rank` (from 1), `score`, `title` where titles are known, and
            `cold`, whether nobody has the item, if the model has item features: a dataframe of
            Polars, Arrow or DuckDB if such one was given, else of pandas.
        """
        tables = self.recommend_tables(
            interactions,
            k,
            user=user,
            item=item,
            value=value,
            timestamp=timestamp,
            exclude_seen=exclude_seen,
            allow=allow,
            deny=deny,
            rerank=rerank,
        )
        return like(interactions, pd.concat(tables, ignore_index=True))

    def recommend_tables(
        self,
        interactions: TableSource,
        k: int = 10,
        *,
        user: str = "user",
        item: str = "item",
        value: str | None = None,
        timestamp: str | None = None,
        exclude_seen: bool = True,
        allow: Any = None,
        deny: Any = None,
        rerank: Sequence[Step] = (),
    ) -> Iterator[pd.DataFrame]:
        """Recommend as `recommend_table` does, in a stream: a table for each block of users.

        Only one block's lists exist at a time; `disk.writing.write_tables` takes them to a file.
        What is wrong with the arguments is raised at once.
        """
        self.require_fitted()
        data = read_histories(
            interactions,
            self.item_ids_,
            user=user,
            item=item,
            value=value,
            min_weight=self.min_weight_,
            timestamp=timestamp if self.reads_order else None,
        )
        if value is None and self.reads_weights:
            lists.warn_if_unweighted(type(self).__name__, data.matrix)
        if timestamp is None and self.reads_order:
            lists.warn_of_no_order(type(self).__name__)
            data = replace(data, matrix=as_input(data.matrix))
        return self.recommend_named(
            data.matrix,
            data.user_ids,
            k,
            exclude_seen=exclude_seen,
            disliked=data.disliked,
            allow=lists.allowed(allow, deny, self.item_ids_),
            rerank=rerank,
        )

    def recommend_named(
        self,
        histories: sp.csr_matrix,
        user_ids: pd.Index,
        k: int,
        *,
        exclude_seen: bool = True,
        disliked: sp.csr_matrix | None = None,
        allow: np.ndarray | None = None,
        rerank: Sequence[Step] = (),
    ) -> Iterator[pd.DataFrame]:
        """Recommend as `recommend_tables` does, for CSR [users, items] of users with raw ids.

        What is allowed are columns, for all users.
        """
        known, name = self.user_ids_, type(self).__name__
        rows = None if known is None else lists.rows_of(name, user_ids, known)
        histories, rows = self.checked_users(histories, rows)
        require_length(k, histories.shape[1])
        reranker = self.reranker(rerank)

        def rank(block: slice) -> tuple[np.ndarray, np.ndarray]:
            own = None if rows is None else rows[block]
            return top_k(
                self.score_or_count,
                histories[block],
                k,
                rows=own,
                exclude_seen=exclude_seen,
                allow=allow,
                deny=None if disliked is None else disliked[block],
                rerank=reranker,
                products=self.products,
            )

        cold = None if self.cold_items_ is None else ~self.cold_items_.known
        return lists.ranked_tables(rank, user_ids, self.items_, cold)

    def products(self) -> Products | None:
        """The scores as inner products; None where they are something else."""
        if self.cold_items_ is not None or self.why_not(Ability.VECTORS):
            return None
        return Products(self.user_vectors, *self.last_layer())

    def reranker(self, steps: Sequence[Step]) -> Reranker | None:
        """The steps with what they need to know of this model's items; None without a step."""
        return Reranker(steps, ItemTable(self.items_, self.item_counts_)) if steps else None

    def similar_items(self, columns: np.ndarray, k: int = 10) -> tuple[np.ndarray, np.ndarray]:
        """Find the k items nearest to each of the given items.

        Args:
            columns: int [n], columns of the training matrix.
            k: length of the lists.

        Returns:
            Columns int64 [n, k] and similarities float32 [n, k], best first, without the item
            itself; -1 and -inf where there are fewer than k.
        """
        self.require_fitted()
        n_items = len(self.items_)
        columns = as_columns(np.atleast_1d(columns), n_items, "columns")
        return nearest(self.similarities, columns, n_items, k)

    def similar_users(
        self, histories: sp.csr_matrix, k: int = 10, *, among: sp.csr_matrix | None = None
    ) -> tuple[np.ndarray, np.ndarray]:
        """Find the k users whose tastes are most like each history's.

        Alike is the cosine of the codes' means for a model with codes, else of the histories.

        Args:
            histories: CSR [users, items].
            k: how many to find.
            among: CSR [others, items] of whom to find; None for the training users, of a model
                fitted with `keep_data=True`. Who is among them finds themselves.

        Returns:
            Rows int64 [users, k] of the others and cosines float32 [users, k], best first.

        Raises:
            OptionError: the model has not kept its data, or k is out of range.
            DataError: the histories do not have the training items as columns.
        """
        if among is None and (kept := self.facts_.data) is not None:
            among = kept.matrix
        if among is None:
            raise OptionError(
                "this model has not kept its training users: fit it with keep_data=True, or give "
                "those to look among."
            )
        return nearest_rows(self._tastes(histories), self._tastes(among), k)

    def _tastes(self, histories: sp.csr_matrix) -> np.ndarray | sp.csr_matrix:
        histories = self.checked(histories)
        return histories if self.why_not(Ability.CODES) else self.encode(histories)[0]

    def save(self, folder: str | PathLike[str]) -> None:
        """Save to a folder of safetensors, Parquet and JSON; `recvae.load_model` reads it back.

        Raises:
            NotFittedError: fit or load the model first.
            WriteError: the folder can't be written.
            DataError: the table of items has a column of several types.
        """
        self.require_fitted()
        cold = {} if self.cold_items_ is None else self.cold_items_.state()
        storage.save(Saved(self.name, self.facts_, self.state() | cold, self.history_), folder)

    def checked(self, histories: sp.csr_matrix) -> sp.csr_matrix:
        """Histories in the form that `score` takes: CSR float32, sorted columns, finite weights.

        Raises:
            NotFittedError: fit or load the model first.
            DataError: they do not have the training items as columns.
        """
        self.require_fitted()
        data = Interactions.from_matrix(self._in_order(histories))
        if data.shape[1] != len(self.items_):
            raise DataError(
                f"histories have {data.shape[1]} columns, the model knows {len(self.items_)} "
                "items: they must be the training items, in the same order."
            )
        if isinstance(histories, Interactions):
            require_same_items(histories.item_ids, self.item_ids_)
        return data.matrix

    def checked_users(
        self, histories: sp.csr_matrix, rows: np.ndarray | None
    ) -> tuple[sp.csr_matrix, np.ndarray | None]:
        """Histories and rows in the form that `score` takes; a warning counts empty histories.

        Raises:
            NotFittedError, DataError: see `checked`.
            FoldInError, OptionError: see `recommend`.
        """
        histories = self.checked(histories)
        if not self.supports_new_users:
            return histories, self.checked_rows(rows, histories.shape[0])
        lists.warn_if_empty(histories)
        return histories, rows

    def checked_rows(self, rows: np.ndarray | None, n_users: int) -> np.ndarray:
        """The rows of `n_users` users in the training matrix, as int64.

        Raises:
            FoldInError: no rows are given.
            OptionError: there is not one row for each user, or a row is out of range.
        """
        if rows is None:
            raise FoldInError(
                f"{type(self).__name__} knows only the users it was trained on: give their rows "
                "(rows=...), or use a model that folds new users in, such as ImplicitALS."
            )
        if np.shape(rows) != (n_users,):
            raise OptionError(f"rows must name one training row for each of {n_users} histories.")
        return as_columns(rows, self.n_users_, "rows")

    def _in_order(self, given: Any) -> Any:
        """Interactions weighed by their order for a model that reads it; anything else as it is."""
        ordered = self.reads_order and isinstance(given, Interactions)
        return given.in_order() if ordered else given

    def score_or_count(
        self, histories: sp.csr_matrix, rows: np.ndarray | None = None
    ) -> torch.Tensor:
        """The scores of `score`, and those of cold items by their features.

        For an empty history, how many users have each item.
        """
        scores = self.score(histories, rows)
        if self.cold_items_ is not None:
            scores = self.cold_items_.fill_(scores, histories)
        if not self.supports_new_users:
            return scores
        return lists.popular_if_empty(scores, histories, self.item_counts_)

    def _learn_cold(
        self, features: sp.csr_matrix, data: Interactions | Shards, validation: Holdout | None
    ) -> ColdItems:
        """Learn to score cold items, from validation users, or else from training users."""
        if validation is None:
            assert isinstance(data, Interactions)
            rows = np.random.default_rng(0).permutation(data.shape[0])[:USERS]
            some = data.select_users(rows).matrix
            validation = Holdout(some, 0 * some, rows=rows)
        elif self.reads_order and validation.order is not None:
            validation = replace(validation, fold_in=validation.order)
        return ColdItems.learn(features, self.item_counts_, self.score, validation)


def _features(data: Interactions | Shards, given: FeatureSource) -> sp.csr_matrix:
    if isinstance(data, Shards):
        raise OptionError("shards say nothing of items: leave out item_features or read the table.")
    return encode_features(data.items, given, data.item_counts > 0)


def _layout(state: dict[str, torch.Tensor]) -> dict[str, tuple[torch.Size, torch.dtype]]:
    return {name: (tensor.shape, tensor.dtype) for name, tensor in state.items()}
