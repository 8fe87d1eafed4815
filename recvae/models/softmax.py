"""What the autoencoders share that are trained by the multinomial likelihood of whole rows."""

from dataclasses import dataclass
from typing import Literal

import torch

from recvae import devices, sampled, tiled
from recvae.batch import Batch
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
        precision, sharing = devices.products(self.precision, code.device), net.items.group
        layer = (*net.last_layer(), net.items.own(batch))
        if self.softmax == "sampled" or (self.softmax == "auto" and batch.n_items > LARGE):
            layer = sampled.choose(*layer, N_SAMPLED // sharing.size, noise)
        return tiled.multinomial_log_likelihood(net.hidden(code), *layer, precision, sharing)
