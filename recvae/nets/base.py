"""What training and scoring need of a net."""

from abc import abstractmethod

import torch
from torch import nn
from torch.nn.functional import linear

from recvae.batches import Batch


class Net(nn.Module):
    """An autoencoder. Its parameters hold nothing until they are drawn or a state is loaded."""

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
        return linear(self.hidden(code), *self.last_layer())
