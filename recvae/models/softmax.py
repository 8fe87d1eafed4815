"""What the autoencoders share that are trained by the multinomial likelihood of whole rows."""

from dataclasses import dataclass
from typing import Literal

import torch

from recvae import devices, sampled, tiled
from recvae.batches import Batch
from recvae.models.autoencoder import AutoencoderRecommender
from recvae.nets import Net
from recvae.sparse import LARGE

N_SAMPLED = 10_000


@dataclass(kw_only=True, eq=False)
class SoftmaxAutoencoder(AutoencoderRecommender):
    """An autoencoder whose decoder ends in a softmax over the items.

    Attributes:
        softmax: what a training step normalizes over: "all" items; "sampled", those of the batch
            and 10,000 others, see `recvae.sampled`; "auto" samples beyond 50,000 items.
    """

    softmax: Literal["auto", "all", "sampled"] = "auto"

    def _multinomial(
        self, net: Net, code: torch.Tensor, batch: Batch, noise: torch.Generator
    ) -> torch.Tensor:
        """Log-likelihood of the users' rows under the softmax of the decoded codes: [users]."""
        precision = devices.products(self.precision, code.device)
        arguments = (net.hidden(code), *net.last_layer(), batch, precision)
        if self.softmax == "sampled" or (self.softmax == "auto" and batch.n_items > LARGE):
            return sampled.multinomial_log_likelihood(*arguments, N_SAMPLED, noise)
        return tiled.multinomial_log_likelihood(*arguments)
