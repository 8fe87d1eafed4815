"""Net: the base class of all autoencoder nets, with the methods that training and scoring call."""

from abc import ABC, abstractmethod
from collections.abc import Callable

import torch
from torch import nn
from torch.nn.functional import linear, normalize

from recvae.engine.batch import Batch
from recvae.engine.groups import Group
from recvae.nets.layers import ItemPartition, SparseLinear

SHORT = 1e-3
"""Vectors that are shorter keep their direction, but not a cosine of 1: so gradients stay small."""


class Net(nn.Module, ABC):
    """An autoencoder. Its parameters are uninitialized until they are drawn or loaded.

    Attributes:
        items: the items whose weights this process has; all of them, unless `split_items` says
            otherwise.
        temperature: logits are cosines divided by it; None: inner products.
    """

    items = ItemPartition()

    def __init__(self, temperature: float | None = None) -> None:
        super().__init__()
        self.temperature = temperature

    @abstractmethod
    def initialize(self, generator: torch.Generator) -> None:
        """Draw the parameters."""

    @abstractmethod
    def encode(self, batch: Batch) -> tuple[torch.Tensor, torch.Tensor]:
        """Map sparse rows to mean and log-variance of the code, each [users, latent].

        The log-variance of a point is -inf.
        """

    def hidden(self, code: torch.Tensor) -> torch.Tensor:
        """Map codes [users, latent] to the last layer's input, [users, width].

        They stay as they are where the last layer of the decoder is the only one.
        """
        return code

    @abstractmethod
    def last_layer(self) -> tuple[torch.Tensor, torch.Tensor]:
        """The weights [items, width] and biases [items] of the last layer."""

    def factors(
        self, hidden: torch.Tensor, weight: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """What logits are inner products of, but for the biases.

        They are the last layer's input, [users, width], and rows of its weights, [n, width], as
        they are or, with a temperature, such that products are cosines.
        """
        if self.temperature is None:
            return hidden, weight
        directions, weights = (normalize(part, dim=1, eps=SHORT) for part in (hidden, weight))
        return directions / self.temperature, weights

    def decode(self, code: torch.Tensor) -> torch.Tensor:
        """Map codes [users, latent] to logits [users, items]."""
        weight, bias = self.last_layer()
        logits = linear(*self.factors(self.hidden(code), weight), bias)
        return logits if self.items.group.size == 1 else self.items.join(logits.T).T

    def split_items(self, group: Group) -> None:
        """Keep only the weights of this process's items (tensor parallel over items)."""
        if group.size > 1:
            items = ItemPartition(group, len(self.last_layer()[1]))
            self._set_items(items, items.cut)

    def join_items(self) -> None:
        """Gather the weights of all items from all processes, after `split_items`."""
        if self.items.group.size > 1:
            self._set_items(ItemPartition(), self.items.join)

    def _set_items(
        self, items: ItemPartition, change: Callable[[torch.Tensor], torch.Tensor]
    ) -> None:
        """Change the weights with a row for each item, those of input layers and the last layer."""
        inputs = [layer for layer in self.modules() if isinstance(layer, SparseLinear)]
        for weights in [*(layer.weight for layer in inputs), *self.last_layer()]:
            weights.data = change(weights.data)
        for layer in inputs:
            layer.items = items
        self.items = items
