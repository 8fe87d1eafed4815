"""Learner: fits and updates a model, given how it learns and scores."""

from collections.abc import Collection, Hashable
from copy import copy
from dataclasses import replace
from os import PathLike
from time import perf_counter
from typing import Any, Self

import numpy as np
import scipy.sparse as sp
from torch import nn

import recvae
from recvae import options
from recvae.data.features import Features, FeatureSource, column_names
from recvae.data.ids import require_ids
from recvae.data.interactions import Interactions, require_timestamps
from recvae.data.shards import Shards
from recvae.data.splits import Holdout
from recvae.engine import devices
from recvae.engine.trainer import OnEpoch
from recvae.errors import OptionError
from recvae.models.contract.changes import changed
from recvae.models.contract.cold_items import ColdItems
from recvae.models.contract.cold_users import ColdUsers
from recvae.models.contract.fitting import (
    FitContext,
    checked_data,
    checkpoints_in,
    require_parallel,
)
from recvae.models.contract.inputs import warn_if_unweighted
from recvae.models.contract.ridge import USERS
from recvae.models.contract.saving import SavableModel
from recvae.saved.facts import Facts
from recvae.saved.origin import BestEpoch, Origin
from recvae.saved.storage import as_parquet

EPOCHS = "epochs"
"""The option of a model that is trained in epochs."""


class Learner(SavableModel):
    """A model that is fitted on users x items, and updated with what is new."""

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
        user_features: FeatureSource | None = None,
    ) -> Self:
        """Learn from users x items; return self.

        Args:
            interactions: the training users, as Interactions, CSR [users, items], or Shards.
            validation: users to choose the best epoch by, for models trained in epochs. None trains
                for all epochs; ResidualEnsemble then takes some of the training users.
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
            keep_data: keep the users' ids and rows with the model, and the columns that
                `user_features` names, in memory and saved, so that it can be updated.
            item_features: what tells items apart that nobody has, so that they are recommended
                too: names of columns of the items' table, or vectors [items, features]. The scores
                of the other items stay as they are. See docs/cold-items.md.
            user_features: what tells users apart who have no history yet: names of columns of the
                users' table, or vectors [users, features].

        Raises:
            DataError: there is nothing to learn from, or validation has other items.
            OptionError: a hyper-parameter is out of its range, or the model needs all users in
                memory, or times, and was given shards, or these are to be kept, or it can't be
                trained by several processes.
            TrainingError: memory ran out, or the loss became NaN or infinite.
            CheckpointError: the checkpoints are damaged, in use, of another training, or can't be
                written.
        """
        options.check(self)
        require_parallel(type(self).__name__, self.parallel_over)
        data = self._training_data(interactions, validation, keep_data=keep_data)
        of_items = None if item_features is None else self._features(data, item_features, "item")
        of_users = None if user_features is None else self._features(data, user_features, "user")
        columns = of_users[0].table_columns if of_users else []
        self._facts = self._facts_of(data, columns if keep_data else None)
        self.history_, self.interrupted_ = None, False
        self.cold_items_ = self.cold_users_ = None
        about = {"recvae": recvae.__version__, "model": self.name, "data": self.fingerprint_}
        try:
            kept = checkpoints_in(checkpoints, about | self.options_, validation)
            deadline = None if minutes is None else perf_counter() + 60 * minutes
            context = FitContext(on_epoch, kept, {} if shared is None else shared, deadline)
            with context.at_work():
                if isinstance(data, Shards):
                    self.learn_shards(data, validation, context)
                else:
                    self.learn(data.matrix, validation, context)
            if of_items is not None:
                self.cold_items_ = self._learn_cold(of_items[1], data, validation)
            if of_users is not None and isinstance(data, Interactions):
                self.cold_users_ = ColdUsers.learn(*of_users, data.matrix)
            origin, names = Origin.now(self.history_), column_names(item_features)
            self._facts = replace(self._facts, origin=origin, item_features=names)
        except BaseException:
            self._facts = None
            raise
        return self

    @property
    def reads_validation(self) -> bool:
        """Whether validation users choose something in a fit, such as the best epoch."""
        return EPOCHS in options.values(self)

    def as_chosen(self) -> Self:
        """A new model, not fitted, to fit without validation users: with what they chose for this.

        It has this model's options, but for the number of epochs, which is the best one found.
        """
        given = options.values(self)
        if EPOCHS in given and (best := BestEpoch.of(self.history_)):
            given[EPOCHS] = best.epoch
        return options.build(type(self), given)

    def refit(self, interactions: Interactions | Shards | sp.csr_matrix, **arguments: Any) -> Self:
        """Fit a new model on other data, such as all users, with what validation chose for this.

        Of an ensemble that was saved, the leader's epochs alone are known. After an update none
        are, and all epochs are trained.

        Args:
            interactions: the training users, validation users among them.
            arguments: others of `fit`, such as `keep_data` and `item_features`, to be given again.

        Raises:
            NotFittedError: fit or load this model first.
            RecvaeError: see `fit`.
        """
        self.require_fitted()
        return self.as_chosen().fit(interactions, **arguments)

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
                fit had none, new items lack them, or the fit had vectors as `user_features`.
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
            warn_if_unweighted(type(self).__name__, more.matrix)
        options.check(self)
        updated = copy(self)
        facts = self._facts_of(checked_data(data, None), data.users.columns.tolist())
        updated._facts, updated.interrupted_ = facts, False
        source = self.facts_.item_features if item_features is None else item_features
        if self.cold_items_ is not None:
            ids = data.item_ids[:0] if more is None else more.item_ids
            updated.cold_items_ = self.cold_items_.of_today(data, ids, source)
        if self.cold_users_ is not None:
            updated.cold_users_ = self.cold_users_.of_today(data)
        context = FitContext()
        with context.at_work():
            updated.relearn(change, context)
        if updated.interrupted_:
            raise KeyboardInterrupt
        origin = Origin.now(updated.history_)
        updated._facts = replace(
            facts, origin=origin, min_weight=self.min_weight_, item_features=column_names(source)
        )
        vars(self).update(vars(updated))
        return self

    def _training_data(
        self,
        given: Interactions | Shards | sp.csr_matrix,
        validation: Holdout | None,
        *,
        keep_data: bool,
    ) -> Interactions | Shards:
        """Training data as the model reads them, if it can learn from them; errors: see `fit`."""
        if isinstance(given, Shards) and not self.supports_shards:
            raise OptionError(
                f"{type(self).__name__} needs all users in memory and can't learn from shards: use "
                "one that can, such as MultVAE, or read the table."
            )
        if isinstance(given, Shards) and keep_data:
            raise OptionError("shards stay on the disk: leave out keep_data, or read the table.")
        if isinstance(given, Shards) and self.reads_order:
            raise OptionError("shards hold no times: leave out half_life, or read the table.")
        if self.reads_order and isinstance(given, Interactions):
            require_timestamps(given)
        if self.reads_order and self.reads_weights:
            raise OptionError("a model reads weights or the order: leave out input or half_life.")
        data = checked_data(self._in_order(given), validation)
        if keep_data or not self.supports_new_users:
            require_ids(data.user_ids, "user")
        return data

    def _features(
        self, data: Interactions | Shards, given: FeatureSource, of: str
    ) -> tuple[Features, sp.csr_matrix]:
        """The features of items, or of users, and what they say of each."""
        if isinstance(data, Shards):
            raise OptionError(
                f"shards say nothing of {of}s: leave out {of}_features, or read the table."
            )
        if of == "item":
            return Features.learn(data.items, given, data.item_counts > 0)
        if not self.supports_new_users:
            raise OptionError(
                f"{type(self).__name__} knows only the users it was trained on: leave out "
                "user_features, which are for new ones."
            )
        return Features.learn(data.users, given, np.diff(data.matrix.indptr) > 0)

    def _facts_of(self, data: Interactions | Shards, kept_columns: list[str] | None) -> Facts:
        """The facts about training data, which are kept with these columns of the users; or not."""
        kept = None
        if kept_columns is not None and isinstance(data, Interactions):
            users = data.users[kept_columns]
            as_parquet(users)
            kept = replace(data, users=users, timestamps=None, positions=None, disliked=None)
        return Facts(
            items=data.items,
            item_counts=data.item_counts,
            n_users=data.shape[0],
            user_ids=None if self.supports_new_users else data.user_ids,
            fingerprint=data.fingerprint(),
            options=options.values(self),
            data=kept,
            min_weight=data.min_weight,
        )

    def _in_order(self, given: Any) -> Any:
        """Interactions weighed by their order for a model that reads it; anything else as it is."""
        ordered = self.reads_order and isinstance(given, Interactions)
        return given.in_order() if ordered else given

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
