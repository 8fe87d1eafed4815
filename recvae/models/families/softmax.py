"""The base of autoencoders that are trained by the multinomial likelihood of whole histories."""

from dataclasses import dataclass
from typing import Literal

import torch

from recvae.data.shards import CsrOrShards
from recvae.data.splits import Holdout
from recvae.engine import devices, processes, sampled, tiled
from recvae.engine.batch import Batch
from recvae.engine.sparse import LARGE
from recvae.errors import OptionError
from recvae.models.contract import Ability, FitContext
from recvae.models.families.autoencoder import AutoencoderRecommender
from recvae.nets import Net

N_SAMPLED = 10_000


@dataclass(kw_only=True, eq=False)
class SoftmaxAutoencoder(AutoencoderRecommender):
    """An autoencoder whose decoder ends in a softmax over the items.

    Attributes:
        softmax: the items that a training step normalizes over. "all"; "sampled": those of the
            batch and a sample of 10,000 others, see `recvae.engine.sampled`; "auto": sampled
            beyond 50,000 items.
    """

    abilities = frozenset(Ability) - {Ability.SPARSE_SCORES}

    softmax: Literal["auto", "all", "sampled"] = "auto"

    def learn(self, train: CsrOrShards, validation: Holdout | None, context: FitContext) -> None:
        n_items, together = train.shape[1], processes.current()
        by_rows = self._samples(n_items) or n_items > LARGE * together.items.size
        if by_rows and together.users.size > 1:
            raise OptionError(
                f"the gradients of {n_items:,} items are sparse, which data parallel processes "
                "can't add up: let all of them be tensor parallel (item_shards=None), or choose "
                f"softmax='all' for up to {LARGE:,} items."
            )
        super().learn(train, validation, context)

    def _samples(self, n_items: int) -> bool:
        return self.softmax == "sampled" or (self.softmax == "auto" and n_items > LARGE)

    def multinomial(
        self, net: Net, code: torch.Tensor, batch: Batch, noise: torch.Generator
    ) -> torch.Tensor:
        """Log-likelihood of the users' rows under the softmax of the decoded codes: [users]."""
        precision, group = devices.products(self.precision, code.device), net.items.group
        layer = (*net.last_layer(), net.items.own(batch))
        if self._samples(batch.n_items):
            layer = sampled.choose(*layer, N_SAMPLED // group.size, noise)
        weight, bias, targets = layer
        factors = net.factors(net.hidden(code), weight)
        return tiled.multinomial_log_likelihood(*factors, bias, targets, precision, group)
