"""What training and scoring need of a net."""

from abc import abstractmethod

import torch
from torch import nn
from torch.nn.functional import linear

from recvae.engine.batch import Batch
from recvae.engine.groups import Group
from recvae.nets.items import ItemPartition
from recvae.nets.layers import SparseLinear


class Net(nn.Module):
    """An autoencoder. Its parameters hold nothing until they are drawn or a state is loaded.

    Attributes:
        items: which of the items it has the weights of.
    """

    items = ItemPartition()

    @abstractmethod
    def initialize(self, generator: torch.Generator) -> None:
        """Draw the parameters."""

    @abstractmethod
    def encode(self, batch: Batch) -> tuple[torch.Tensor, torch.Tensor]:
        """Map sparse rows to mean and log-variance of the code, each [users, latent]."""

    @abstractmethod
    def hidden(self, code: torch.Tensor) -> torch.Tensor:
        """Map codes [users, latent] to what the last layer sees, [users, width]."""

    @abstractmethod
    def last_layer(self) -> tuple[torch.Tensor, torch.Tensor]:
        """The weights [items, width] and biases [items] of the last layer."""

    def decode(self, code: torch.Tensor) -> torch.Tensor:
        """Map codes [users, latent] to logits [users, items]."""
        logits = linear(self.hidden(code), *self.last_layer())
        return logits if self.items.group.size == 1 else self.items.join(logits.T).T

    def split_items(self, group: Group) -> None:
        """Keep the weights of this process's part of the items, if several share them."""
        if group.size == 1:
            return
        items = ItemPartition(group, len(self.last_layer()[1]))
        for layer in self._at_the_ends():
            layer.items = items
        for weights in self._by_item():
            weights.data = items.cut(weights.data)

    def join_items(self) -> None:
        """Have the weights of all items again."""
        if self.items.group.size == 1:
            return
        for weights in self._by_item():
            weights.data = self.items.join(weights.data)
        for layer in self._at_the_ends():
            layer.items = ItemPartition()

    def _at_the_ends(self) -> "list[Net | SparseLinear]":
        """What knows of items."""
        return [self, *(layer for layer in self.modules() if isinstance(layer, SparseLinear))]

    def _by_item(self) -> list[torch.Tensor]:
        """The parameters that have a row an item."""
        inputs = [layer.weight for layer in self.modules() if isinstance(layer, SparseLinear)]
        return [*inputs, *self.last_layer()]
