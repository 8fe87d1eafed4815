"""Model: what a class of models declares and defines, and what every fitted model knows."""

from abc import ABC, abstractmethod
from collections.abc import Hashable
from dataclasses import fields
from typing import Any, ClassVar, Literal, Self, TypeAlias

import numpy as np
import pandas as pd
import scipy.sparse as sp
import torch
from torch import nn

from recvae import options
from recvae.data.shards import Shards
from recvae.data.splits import Holdout
from recvae.engine.batch import Batch
from recvae.errors import NotFittedError, OptionError
from recvae.models.contract.abilities import Ability
from recvae.models.contract.changes import Change
from recvae.models.contract.cold_items import ColdItems
from recvae.models.contract.cold_users import ColdUsers
from recvae.models.contract.fitting import FitContext
from recvae.models.contract.inputs import Input, as_input, recent
from recvae.options.spaces import Space
from recvae.packages import sklearn
from recvae.ranking.neighbors import cosine
from recvae.saved.facts import Facts
from recvae.saved.origin import Origin

ParallelAxis: TypeAlias = Literal["users", "items"]


class Model(ABC):
    """The methods that a class of models defines. Those that are not abstract have a default.

    The defaults for codes, vectors, sparse scores, similar items and export raise OptionError, for
    models without these. It has the manners of scikit-learn, whose tools clone models and search
    their options, but no base class of it, which is not needed to use a model.

    Attributes:
        input: how the model reads weights; an option of models that can use them as they are.
        half_life: how many later interactions halve the weight of one, in a history that is ranked
            for: an option of models that read histories. None weighs all of them alike.
        history_: DataFrame, a line an epoch; None for a model that is not trained in epochs.
        interrupted_: whether Ctrl-C ended the training early.
        cold_items_: how items without interactions are scored; None if they are not.
        cold_users_: how users without a history are told apart; None if they are not.
    """

    name: ClassVar[str]
    """The model's name on the command line."""
    supports_new_users: ClassVar[bool] = True
    """Whether it can recommend for users that it was not trained on."""
    supports_shards: ClassVar[bool] = False
    """Whether it can be trained out-of-core, from shards, a few of which are in memory at once."""
    parallel_over: ClassVar[frozenset[ParallelAxis]] = frozenset()
    """How several processes can train it: "users" is data parallel, "items" tensor parallel."""
    space: ClassVar[Space] = {}
    """The values of each hyper-parameter that tuning chooses from."""
    abilities: ClassVar[frozenset[Ability]] = frozenset()
    """The abilities of the class; an option can take one away, see `why_not`."""

    input: Input = "binary"
    half_life: float | None = None
    history_: pd.DataFrame | None = None
    interrupted_: bool = False
    cold_items_: ColdItems | None = None
    cold_users_: ColdUsers | None = None
    _facts: Facts | None = None

    @abstractmethod
    def learn(self, train: sp.csr_matrix, validation: Holdout | None, context: FitContext) -> None:
        """Learn from CSR float32 [users, items]."""

    def learn_shards(self, train: Shards, validation: Holdout | None, context: FitContext) -> None:
        """Learn from shards, in a model that `supports_shards`; by default as from a matrix."""
        self.learn(train, validation, context)  # type: ignore[arg-type]

    def relearn(self, change: Change, context: FitContext) -> None:
        """Learn today's training data, given what this model has learnt; by default, anew.

        The facts are today's already. What the model was before must not be changed in place.
        """
        self.learn(change.train, None, context)

    @abstractmethod
    def score(self, histories: sp.csr_matrix, rows: np.ndarray | None = None) -> torch.Tensor:
        """Score every item for a block of users, higher is better, seen items included.

        Args:
            histories: CSR [users, items].
            rows: int [users], rows in the training matrix; only models that can't serve new users
                read them.

        Returns:
            float32 [users, items], fresh memory.
        """

    @abstractmethod
    def state(self) -> dict[str, torch.Tensor]:
        """The learnt parameters, as named tensors."""

    @abstractmethod
    def restore(self, state: dict[str, torch.Tensor]) -> None:
        """Set the learnt parameters to tensors from `state`."""

    def user_vectors(
        self, histories: sp.csr_matrix, rows: np.ndarray | None = None
    ) -> torch.Tensor:
        """What a user's scores are inner products with: float32 [users, width]."""
        raise OptionError(self.lack_of(Ability.VECTORS))

    def last_layer(self) -> tuple[torch.Tensor, torch.Tensor]:
        """Vectors [items, width] and biases [items], float32: users' vectors @ these' + biases are
        the scores of all items but those of the history.
        """
        raise OptionError(self.lack_of(Ability.VECTORS))

    def sparse_scores(self, histories: sp.csr_matrix) -> sp.csr_matrix:
        """The scores of a block of users that are not 0: CSR float32 [users, items]."""
        raise OptionError(self.lack_of(Ability.SPARSE_SCORES))

    def item_vectors(self) -> torch.Tensor:
        """Vectors float32 [items, d] to compare items by."""
        raise OptionError(f"{type(self).__name__} has no notion of similar items.")

    def similarities(self, columns: np.ndarray) -> torch.Tensor:
        """Similarity float32 [n, items] of items to all items: the cosine of their vectors."""
        return cosine(self.item_vectors())(columns)

    def encode(self, histories: sp.csr_matrix) -> tuple[np.ndarray, np.ndarray]:
        """Encode the tastes of histories, CSR [users, items], as Gaussians.

        Returns:
            Mean and log-variance, float32 [users, latent] each; a code that is a point has the
            log-variance -inf.
        """
        raise OptionError(self.lack_of(Ability.CODES))

    def decode(self, codes: np.ndarray) -> torch.Tensor:
        """Score all items, [users, items], by codes alone: any points, float32 [users, latent]."""
        raise OptionError(self.lack_of(Ability.CODES))

    def forward(self, batch: Batch) -> torch.Tensor:
        """The scores [users, items] of histories as tensors; the same as those of `score`."""
        raise OptionError(self.lack_of(Ability.EXPORT))

    @property
    def nets_(self) -> list[nn.Module]:
        """The nets whose weights `forward` reads."""
        return []

    @property
    def reads_weights(self) -> bool:
        """Whether the model uses the weights of the interactions as they are."""
        return self.input == "counts"

    @property
    def reads_order(self) -> bool:
        """Whether the model reads in which order a user had the items, in place of weights."""
        return self.half_life is not None

    def as_read(self, histories: sp.csr_matrix) -> sp.csr_matrix:
        """Histories, CSR [users, items], with the weights by which the model scores."""
        if self.half_life is None:
            return as_input(histories, self.input)
        return recent(histories, self.half_life)

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """The hyper-parameters by name, as they were given; `deep` changes nothing."""
        return {field.name: getattr(self, field.name) for field in fields(self)}  # type: ignore[arg-type]

    def set_params(self, **params: Any) -> Self:
        """Set hyper-parameters; return self. A fitted model has to be fitted anew.

        Raises:
            OptionError: there is no such hyper-parameter, or it is out of its range.
        """
        options.build(type(self), self.get_params() | params)
        for name, value in params.items():
            setattr(self, name, value)
        return self

    def __sklearn_tags__(self) -> Any:
        """What scikit-learn may know: rows are sparse, and there is no target."""
        utils = sklearn("utils")
        return utils.Tags(
            estimator_type=None,
            target_tags=utils.TargetTags(required=False),
            input_tags=utils.InputTags(sparse=True, positive_only=True),
        )

    def as_option(self) -> dict[str, Any]:
        """The model's name and options, to store it as an option of another model."""
        return {"model": self.name, **options.values(self)}

    def shareable(self) -> dict[str, Hashable]:
        """Tensors of `state` that several models can share: by name, the source of each.

        The source is a value on which the tensor depends, apart from the data. Members of an
        ensemble with equal sources share the tensor.
        """
        return {}

    def why_not(self, ability: Ability) -> str | None:
        """The reason why the model lacks an ability; None if it has it."""
        if ability not in self.abilities:
            return self.lack_of(ability)
        if ability is Ability.EXPORT and self.reads_weights:
            return (
                f"{self.name} was trained on weights, which a graph does not read: train it with "
                "input=binary."
            )
        if ability is Ability.EXPORT and self.reads_order:
            return f"{self.name} reads the order of a history, which a graph does not."
        return None

    def lack_of(self, ability: Ability) -> str:
        """The error message for a model without an ability."""
        return ability.value.format(cls=type(self).__name__, name=self.name)

    def require(self, ability: Ability) -> None:
        """Raise OptionError, with the reason, unless the model has an ability."""
        if reason := self.why_not(ability):
            raise OptionError(reason)

    @property
    def facts_(self) -> Facts:
        """The facts about the training: items, counts, options, origin.

        Raises:
            NotFittedError: fit or load the model first.
        """
        if self._facts is None:
            raise NotFittedError(
                f"this {type(self).__name__} is not fitted: call fit(...) or use load_model(...)."
            )
        return self._facts

    def require_fitted(self) -> None:
        """Raise NotFittedError if the model was neither fitted nor loaded."""
        _ = self.facts_

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
    def fingerprint_(self) -> str:
        """The training data's fingerprint."""
        return self.facts_.fingerprint

    @property
    def options_(self) -> dict[str, Any]:
        """The hyper-parameters that the model was fitted with; these are saved with it."""
        return self.facts_.options

    @property
    def min_weight_(self) -> float | None:
        """The least weight of a like in the training data; None if it had no such."""
        return self.facts_.min_weight

    @property
    def origin_(self) -> Origin | None:
        """When and by which code the model was fitted; None during the fit."""
        return self.facts_.origin

    def _repr_html_(self) -> str:
        state = "not fitted"
        if self._facts is not None:
            state = f"fitted on {self.n_users_:,} users and {len(self.items_):,} items"
        table = pd.Series(options.values(self)).to_frame().to_html(header=False)
        return f"<p>{type(self).__name__}, {state}</p>{table}"
