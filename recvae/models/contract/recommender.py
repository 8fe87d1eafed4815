"""Recommender: the base class of all models, with lists of items for users, and similar items."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
import scipy.sparse as sp

from recvae.data.features import Vectors
from recvae.data.interactions import Interactions
from recvae.data.reading import read_histories
from recvae.data.reading.build import Duplicates
from recvae.data.reading.sources import TableSource, like
from recvae.display.progress import progress
from recvae.errors import OptionError
from recvae.models.contract import lists
from recvae.models.contract.abilities import Ability
from recvae.models.contract.inputs import as_input, warn_if_unweighted, warn_of_no_order
from recvae.models.contract.scorer import Scorer
from recvae.ranking.blocks import MOST_USERS
from recvae.ranking.neighbors import nearest, nearest_rows
from recvae.ranking.rerank import ItemTable, Reranker, Step
from recvae.ranking.top_k import ItemSets, as_columns, require_length, top_k


@dataclass(kw_only=True, eq=False)
class Recommender(Scorer):
    """A model that is fitted on users x items and recommends items for the histories of users.

    A subclass is a dataclass whose fields are its hyper-parameters. It defines `learn`, `score`,
    `state` and `restore`. The names of fitted attributes end in an underscore.
    """

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
        user_features: pd.DataFrame | Vectors | None = None,
    ) -> tuple[np.ndarray, np.ndarray]:
        """Recommend k items to each user.

        Args:
            histories: CSR [users, items] of what each user has interacted with. Users with an
                empty history get the most popular items, and a warning says so, unless
                `user_features` tells them apart.
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
            user_features: a line per user of a model fitted with `user_features`: a table with the
                same columns, or such vectors. They are read for empty histories only.

        Returns:
            Columns int64 [users, k] and scores float32 [users, k], best first, or in the order
            that `rerank` makes; where fewer than k items can be recommended, -1 and -inf.

        Raises:
            NotFittedError: fit or load the model first.
            FoldInError: the model can't serve unseen users, and `rows` was not given.
            OptionError: k, allow or deny is out of range, the table of items lacks a column that
                `rerank` needs, or the model was not fitted with `user_features`.
            DataError: the histories do not have the training items as columns, or the features of
                users are not like those that were fitted.
        """
        histories, known = self.checked_users(histories, rows, user_features)
        return top_k(
            self.score_or_count,
            histories,
            k,
            rows=known,
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
        duplicates: Duplicates | None = None,
        exclude_seen: bool = True,
        allow: Any = None,
        deny: Any = None,
        rerank: Sequence[Step] = (),
        user_features: Any = None,
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
            duplicates: how lines of the same user and item are merged, see `read_interactions`.
            exclude_seen: do not recommend the items of the history.
            allow: raw ids, such as what is in stock: only these items may be recommended. A
                warning counts those that the model does not know, here and in `deny`.
            deny: raw ids of items that may not be recommended.
            rerank: see `recommend`.
            user_features: a line per user, in the form that `Interactions.with_users` takes,
                for a model fitted with such. Users who have no interaction are listed by them.

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
            duplicates=duplicates,
            exclude_seen=exclude_seen,
            allow=allow,
            deny=deny,
            rerank=rerank,
            user_features=user_features,
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
        duplicates: Duplicates | None = None,
        exclude_seen: bool = True,
        allow: Any = None,
        deny: Any = None,
        rerank: Sequence[Step] = (),
        user_features: Any = None,
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
            timestamp=timestamp,
            duplicates=duplicates,
        )
        if value is None and self.reads_weights:
            warn_if_unweighted(type(self).__name__, data.matrix)
        if self.reads_order and timestamp is not None:
            data = data.in_order()
        elif self.reads_order:
            warn_of_no_order(type(self).__name__)
            data = replace(data, matrix=as_input(data.matrix))
        if user_features is not None:
            data = data.with_users(user_features)
        return self.recommend_named(
            data,
            k,
            exclude_seen=exclude_seen,
            allow=lists.allowed(allow, deny, self.item_ids_),
            rerank=rerank,
            by_features=user_features is not None,
        )

    def recommend_named(
        self,
        data: Interactions,
        k: int,
        *,
        exclude_seen: bool = True,
        allow: np.ndarray | None = None,
        rerank: Sequence[Step] = (),
        by_features: bool = False,
    ) -> Iterator[pd.DataFrame]:
        """Recommend as `recommend_tables` does, for users of the model's items in its order.

        What is allowed are columns, for all users; `by_features` reads what `data.users` says.
        """
        features = data.users if by_features else None
        histories, known = self.checked_users(data.matrix, self.rows_of(data.user_ids), features)
        require_length(k, histories.shape[1])
        reranker = self.reranker(rerank)
        cold = None if self.cold_items_ is None else ~self.cold_items_.known

        def table(block: slice) -> pd.DataFrame:
            ranked = top_k(
                self.score_or_count,
                histories[block],
                k,
                rows=None if known is None else known[block],
                exclude_seen=exclude_seen,
                allow=allow,
                deny=None if data.disliked is None else data.disliked[block],
                rerank=reranker,
                products=self.products,
            )
            return lists.as_table(*ranked, data.user_ids[block], self.items_, cold)

        starts = range(0, max(len(data.user_ids), 1), MOST_USERS)
        blocks = progress(starts, "recommending", unit="block")
        return (table(slice(start, start + MOST_USERS)) for start in blocks)

    def reranker(self, steps: Sequence[Step]) -> Reranker | None:
        """The steps with what they need to know of this model's items; None without a step."""
        if not steps:
            return None
        reranker = Reranker(steps, ItemTable(self.items_, self.item_counts_))
        reranker.require()
        return reranker

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
