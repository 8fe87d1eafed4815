"""Saving: what is kept of a fitted model, and a model from what was kept."""

from dataclasses import replace
from os import PathLike
from typing import Self

import torch

from recvae import options
from recvae.models.contract.cold_items import ColdItems
from recvae.models.contract.cold_users import ColdUsers
from recvae.models.contract.model import Model
from recvae.saved import storage
from recvae.saved.facts import Facts
from recvae.saved.storage import Saved


class SavableModel(Model):
    """A model that is saved, and that takes what was saved."""

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
        self.cold_users_ = ColdUsers.restore(state, saved.user_features, facts)
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

    def save(self, folder: str | PathLike[str]) -> None:
        """Save to a folder of safetensors, Parquet and JSON; `recvae.load_model` reads it back.

        Raises:
            NotFittedError: fit or load the model first.
            WriteError: the folder can't be written.
            DataError: the table of items has a column of several types.
        """
        self.require_fitted()
        state, users = self.state(), None
        if self.cold_items_ is not None:
            state |= self.cold_items_.state()
        if self.cold_users_ is not None:
            state |= self.cold_users_.state()
            users = self.cold_users_.features.table
        storage.save(Saved(self.name, self.facts_, state, self.history_, users), folder)


def _layout(state: dict[str, torch.Tensor]) -> dict[str, tuple[torch.Size, torch.dtype]]:
    return {name: (tensor.shape, tensor.dtype) for name, tensor in state.items()}
